/** undici's Pool alone: its index loads fetch, caches and mocks too, 50 ms and 13 MB that no worker needs. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export default Pool;
}
