/** The Chromium of this machine, which tests of pages look with: there is no download of one. */
import { existsSync } from 'node:fs';

/** Its path; undefined where there is none. */
export const CHROMIUM = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

/** For `skip` of a test that needs it. */
export const WITHOUT_CHROMIUM =
  CHROMIUM === undefined ? 'no Chromium on this machine (CHROMIUM_PATH names one)' : false;
