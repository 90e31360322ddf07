// The language of the interface, and how it writes times. Chosen by the address, then by the last choice, then by the
// browser.
import { en, type Words } from './en.ts';
import { ko } from './ko.ts';

export type Language = 'en' | 'ko';

const KEY = 'language';
const DICTIONARIES: Readonly<Record<Language, Words>> = { en, ko };

const isLanguage = (text: string | null): text is Language => text === 'en' || text === 'ko';

function chosen(): Language {
  const asked = new URLSearchParams(location.search).get('lang');
  if (isLanguage(asked)) {
    return asked;
  }
  const kept = localStorage.getItem(KEY);
  return isLanguage(kept) ? kept : navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

let current = $state<Language>(chosen());
document.documentElement.lang = chosen();

/** The words of the language; read in a template, they follow a change. */
export const words = (): Words => DICTIONARIES[current];

export const language = (): Language => current;

/** The language, as the API names it. */
export const apiLanguage = (): 'EN' | 'KO' => (current === 'ko' ? 'KO' : 'EN');

export function speak(next: Language): void {
  current = next;
  localStorage.setItem(KEY, next);
  document.documentElement.lang = next;
}
