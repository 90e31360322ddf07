// What the map costs a browser, measured by hand: scripts/web bench. It passes no judgement; docs/benchmarks.md says how
// to read it.
import { defineConfig } from '@playwright/test';
import tests from '../playwright.config.ts';

export default defineConfig({ ...tests, testDir: '.', outputDir: '../../../target/browser-bench', timeout: 600_000, reporter: [['line']] });
