// Light or dark: as the device is, unless somebody chose.

export type Theme = 'light' | 'dark';
export type ThemeChoice = Theme | 'system';

const KEY = 'theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

function kept(): ThemeChoice {
  const text = localStorage.getItem(KEY);
  return text === 'light' || text === 'dark' ? text : 'system';
}

let choice = $state<ThemeChoice>(kept());
let device = $state<Theme>(dark.matches ? 'dark' : 'light');

function show(): void {
  document.documentElement.dataset['theme'] = theme();
}

dark.addEventListener('change', () => {
  device = dark.matches ? 'dark' : 'light';
  show();
});

export const theme = (): Theme => (choice === 'system' ? device : choice);
export const themeChoice = (): ThemeChoice => choice;

export function chooseTheme(next: ThemeChoice): void {
  choice = next;
  localStorage.setItem(KEY, next);
  show();
}

show();
