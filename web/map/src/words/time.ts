// Moments and lengths, as people say them.

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const NOW_SECONDS = 45;

/** How long ago a moment was: `5 min ago`; `now` within three quarters of a minute. */
export function ago(moment: string, at: number, language: string, now: string): string {
  const seconds = Math.max(0, (at - Date.parse(moment)) / 1000);
  if (seconds < NOW_SECONDS) {
    return now;
  }
  const [unit, length] = STEPS.find(([, step]) => seconds >= step) ?? (['minute', 60] as const);
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' });
  return format.format(-Math.max(1, Math.floor(seconds / length)), unit);
}

/** A length of time as a clock shows it: `0:42`, `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A moment in full. */
export function moment(text: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(text));
}
