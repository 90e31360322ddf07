// The light build of hls.js is the whole one without subtitles, encryption and alternative audio; its types are the same.
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}
