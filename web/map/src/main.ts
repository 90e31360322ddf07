// The page that the address names.
import './theme.css';
import './ui/theme.svelte.ts';
import { mount } from 'svelte';
import { read } from './ui/address.ts';

const pages = {
  map: () => import('./pages/MapPage.svelte'),
  embed: () => import('./pages/MapPage.svelte'),
  wall: () => import('./pages/WallPage.svelte'),
};

const target = document.getElementById('app');
if (target) {
  const address = read(new URL(location.href));
  const page = pages[address.page]();
  if (address.page !== 'wall') {
    // The largest part by far comes beside the page, not after it; who needs it asks for it again, and hears of a fault.
    import('./map/canvas.ts').catch(() => undefined);
  }
  page.then(
    ({ default: Page }) => mount(Page, { target, props: { address } }),
    () => unloaded(target),
  );
}

/** Says that the page's code was not had; its words are part of that code, so both languages stand here. */
function unloaded(target: HTMLElement): void {
  const box = document.createElement('main');
  box.className = 'unloaded';
  for (const [lang, text] of [
    ['en', 'The page could not be downloaded.'],
    ['ko', '페이지를 내려받지 못했습니다.'],
  ] as const) {
    const line = document.createElement('p');
    line.lang = lang;
    line.textContent = text;
    box.append(line);
  }
  const again = document.createElement('button');
  again.className = 'button';
  again.type = 'button';
  again.textContent = 'Try again · 다시 시도';
  again.addEventListener('click', () => location.reload());
  box.append(again);
  target.replaceChildren(box);
  // Nobody touches a wall.
  addEventListener('online', () => location.reload());
}
