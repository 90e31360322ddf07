//! What kind of hazard a broadcaster says they see; one flat list, so that a filter is one choice.

crate::text_enum::text_enum! {
    /// The hazard a stream shows.
    Category {
        /// Fire in a building, a vehicle or the open.
        Fire = "FIRE",
        /// Flood, tsunami, burst dam or main.
        Flood = "FLOOD",
        /// Earthquake and its damage.
        Earthquake = "EARTHQUAKE",
        /// Storm, typhoon, tornado, heavy snow.
        Storm = "STORM",
        /// Landslide, rockfall, sinkhole, avalanche.
        Landslide = "LANDSLIDE",
        /// Explosion or gas leak.
        Explosion = "EXPLOSION",
        /// A building or structure that fell or is about to.
        Collapse = "COLLAPSE",
        /// Road, rail, air or ship accident.
        Traffic = "TRAFFIC",
        /// A crowd in danger.
        Crowd = "CROWD",
        /// Violence or attack.
        Violence = "VIOLENCE",
        /// People hurt or missing, where no other word fits.
        Rescue = "RESCUE",
        /// Anything else.
        Other = "OTHER",
    }
}
