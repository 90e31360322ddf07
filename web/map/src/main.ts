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
  void page.then(({ default: Page }) => mount(Page, { target, props: { address } }));
}
