// The time of day, for ages that are shown: one timer for the whole page, while somebody looks.
import { createSubscriber } from 'svelte/reactivity';

const STEP_MS = 1_000;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, STEP_MS);
  return () => clearInterval(timer);
});

/** Now, in ms since 1970; read in a template, it follows the clock. */
export function now(): number {
  subscribe();
  return Date.now();
}
