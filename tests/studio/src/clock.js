// Reads the clock that is drawn across the top of a picture: sixteen squares, black or white.
'use strict';

// The number of the picture that the element shows; null if there is none or it cannot be read for sure.
function readClock(video) {
  if (!video || !video.videoWidth) {
    return null;
  }
  const canvas = readClock.canvas ??= Object.assign(document.createElement('canvas'), { width: 128, height: 8 });
  const context = readClock.context ??= canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 8, 0, 0, 128, 8);
  const { data } = context.getImageData(0, 0, 128, 8);
  let bits = 0;
  for (let square = 0; square < 16; square += 1) {
    let sum = 0;
    for (const [x, y] of [[3, 3], [4, 3], [3, 4], [4, 4]]) {
      sum += data[4 * (y * 128 + square * 8 + x) + 1];
    }
    if (sum > 4 * 80 && sum < 4 * 176) {
      return null;
    }
    bits = bits * 2 + (sum >= 4 * 176 ? 1 : 0);
  }
  const number = (bits >> 4) & 0x3ff;
  // White, black, ten bits of the number, four to check them by.
  return bits >> 14 === 2 && (bits & 15) === (number * 7 + 5) % 13 ? number : null;
}
