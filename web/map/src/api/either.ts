// Work that two signals may end. `AbortSignal.any` would do, and Safari has it only since 17.4.

/** Works with a signal that is aborted as soon as one of the two is; once the work is over, neither is listened to. */
export async function either<T>(one: AbortSignal, other: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const joined = new AbortController();
  const end = ({ target }: { target: EventTarget | null }): void => joined.abort((target as AbortSignal).reason);
  for (const signal of [one, other]) {
    if (signal.aborted) {
      end({ target: signal });
    } else {
      signal.addEventListener('abort', end, { once: true });
    }
  }
  try {
    return await work(joined.signal);
  } finally {
    one.removeEventListener('abort', end);
    other.removeEventListener('abort', end);
  }
}
