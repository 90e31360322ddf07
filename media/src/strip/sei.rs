//! SEI messages: which of them are kept, and a NAL unit without the others.
//!
//! A message longer than its syntax allows is dropped: the rest would be somebody's text. What cannot be read to its
//! last bit is dropped whole.

use super::Verdict;

/// Payload types of H.264 (ITU-T H.264, annex D) that decoders and players use, and the most bytes each has: buffering
/// period, picture timing, recovery point, frame packing, display orientation, mastering display, content light level,
/// alternative transfer, ambient viewing environment.
pub(super) const H264: &[(usize, usize)] =
    &[(0, 64), (1, 64), (6, 8), (45, 24), (47, 8), (137, 24), (144, 4), (147, 1), (148, 8)];

/// The same of HEVC (ITU-T H.265, annex D), and with them the active parameter sets and the decoding unit information.
pub(super) const HEVC: &[(usize, usize)] =
    &[(0, 64), (1, 64), (6, 8), (45, 24), (47, 8), (129, 24), (130, 16), (137, 24), (144, 4), (147, 1), (148, 8)];

/// Registered user data (ITU-T T.35).
const REGISTERED: usize = 4;
/// Country United States, provider ATSC, identifier, type "closed captions" (ATSC A/53 part 4, 6.2.3).
const CAPTIONS: &[u8] = b"\xb5\0\x31GA94\x03";
/// Bytes around the captions: [`CAPTIONS`], a count, a reserved byte and a mark.
const AROUND_CAPTIONS: usize = CAPTIONS.len() + 3;
/// The stop bit behind the last message: messages are whole bytes.
const STOP: u8 = 0x80;
/// The byte that keeps start codes out of a NAL unit.
const ESCAPE: u8 = 3;

struct Message<'a> {
    kind: usize,
    payload: &'a [u8],
}

/// Whether a message holds closed captions and nothing behind them.
pub(super) fn is_captions(kind: usize, payload: &[u8]) -> bool {
    let pairs = payload.get(CAPTIONS.len()).map_or(0, |count| usize::from(count & 0x1f));
    kind == REGISTERED && payload.starts_with(CAPTIONS) && payload.len() <= AROUND_CAPTIONS + 3 * pairs
}

/// What becomes of the SEI NAL unit `nal`, whose own header has `header` bytes, when only messages are kept whose kind
/// and payload `keeps` takes.
pub(super) fn filter(nal: &[u8], header: usize, keeps: impl Fn(usize, &[u8]) -> bool) -> Verdict {
    let Some((head, body)) = nal.split_at_checked(header) else { return Verdict::Drop };
    let body = unescaped(body);
    let Some(messages) = messages(&body) else { return Verdict::Drop };
    let kept: Vec<&Message<'_>> = messages.iter().filter(|message| keeps(message.kind, message.payload)).collect();
    if kept.is_empty() {
        return Verdict::Drop;
    }
    if kept.len() == messages.len() {
        return Verdict::Keep;
    }
    let bytes = [head, &escaped(&written(&kept))].concat();
    // One that was escaped wrongly may grow.
    if bytes.len() < nal.len() { Verdict::Replace(bytes) } else { Verdict::Drop }
}

/// The messages in `body`; `None` when it does not end with the last of them.
fn messages(body: &[u8]) -> Option<Vec<Message<'_>>> {
    let last = body.iter().rposition(|byte| *byte != 0)?;
    let mut rest = body[..=last].strip_suffix(&[STOP])?;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let (kind, size) = (number(&mut rest)?, number(&mut rest)?);
        let (payload, behind) = rest.split_at_checked(size)?;
        messages.push(Message { kind, payload });
        rest = behind;
    }
    Some(messages)
}

/// A number that is the sum of its bytes, of which all but the last are 255.
pub(super) fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut sum = 0;
    loop {
        let (byte, behind) = rest.split_first()?;
        (sum, *rest) = (sum + usize::from(*byte), behind);
        if *byte != 0xff {
            return Some(sum);
        }
    }
}

fn written(messages: &[&Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        for mut number in [message.kind, message.payload.len()] {
            while number >= 0xff {
                out.push(0xff);
                number -= 0xff;
            }
            out.push(u8::try_from(number).unwrap_or(0));
        }
        out.extend_from_slice(message.payload);
    }
    out.push(STOP);
    out
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut zeros) = (Vec::with_capacity(bytes.len()), 0);
    for byte in bytes {
        if zeros >= 2 && *byte == ESCAPE {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

fn escaped(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut zeros) = (Vec::with_capacity(bytes.len()), 0);
    for byte in bytes {
        if zeros >= 2 && *byte <= ESCAPE {
            out.push(ESCAPE);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}
