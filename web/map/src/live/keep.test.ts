import { expect, test } from 'vitest';
import { type Air, OnAir, type Publish } from './keep.ts';
import { Declined, type Health } from './whip.ts';

const QUICK = { least: 1, most: 2, whole: 1_000 };

/** A server that takes a broadcast as the script says, and what it was told. */
function server(script: ('taken' | 'away' | 'declined')[]) {
  const closed: boolean[] = [];
  let posts = 0;
  let tell: (health: Health) => void = () => undefined;
  const publish: Publish = (listen) => {
    const answer = script[posts] ?? 'away';
    posts += 1;
    if (answer !== 'taken') {
      return Promise.reject(answer === 'declined' ? new Declined('no') : new Error('away'));
    }
    tell = listen;
    listen('connected');
    return Promise.resolve({
      replace: () => Promise.resolve(),
      close: (over: boolean) => {
        closed.push(over);
        return Promise.resolve();
      },
    });
  };
  return { publish, closed, posts: () => posts, lose: () => tell('lost'), weaken: () => tell('weak') };
}

/** Tells every state, and lets one wait for the nth of a kind. */
function listener() {
  const told: Air[] = [];
  const waiting: (() => void)[] = [];
  const until = async (air: Air, times = 1): Promise<void> => {
    while (told.filter((state) => state === air).length < times) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const tell = (air: Air): void => {
    told.push(air);
    waiting.splice(0).forEach((wake) => wake());
  };
  return { told, tell, until };
}

test('a connection that is lost is made again with the same broadcast, until it stands', async () => {
  const { told, tell, until } = listener();
  const peer = server(['taken', 'away', 'away', 'taken']);
  const air = new OnAir(peer.publish, tell, QUICK);
  await until('onAir');
  peer.weaken();
  peer.lose();
  await until('onAir', 2);
  expect(peer.posts()).toBe(4);
  expect(peer.closed).toEqual([false]);
  expect(told[0]).toBe('connecting');
  expect(told).toContain('weak');
  expect(told).toContain('reconnecting');
  await air.stop();
  expect(peer.closed).toEqual([false, true]);
});

test('a server that declines is not asked again', async () => {
  const { tell, until } = listener();
  const peer = server(['taken', 'declined', 'taken']);
  new OnAir(peer.publish, tell, QUICK);
  await until('onAir');
  peer.lose();
  await until('declined');
  expect(peer.posts()).toBe(2);
});

test('after long enough nobody is asked any more', async () => {
  const { tell, until } = listener();
  new OnAir(server([]).publish, tell, { least: 1, most: 2, whole: 20 });
  await until('givenUp');
});

test('who stops while connecting tells the server that it is over', async () => {
  const { told, tell } = listener();
  const peer = server(['taken']);
  const air = new OnAir(peer.publish, tell, QUICK);
  await air.stop();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(peer.closed).toEqual([true]);
  expect(told).not.toContain('declined');
});
