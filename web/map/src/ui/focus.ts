// Where the keyboard goes on when what had the focus is gone.
import { tick } from 'svelte';

/** Focuses the first of `wanted` (selectors) that is there, if nothing has the focus once the page has changed. */
export async function focusIfLost(...wanted: readonly string[]): Promise<void> {
  await tick();
  if (document.activeElement === document.body) {
    const found = wanted.map((selector) => document.querySelector<HTMLElement>(selector));
    found.find((element) => element)?.focus({ preventScroll: true });
  }
}
