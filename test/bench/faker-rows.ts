/** Rows of `records` as most tools make them: faker is called for every field of every row. */
import { faker } from '@faker-js/faker/locale/en';
import { STATES } from './plain-draws.ts';

const RUN_ID = 'benchmark';
const TIME_ORIGIN_MS = Date.UTC(2026, 0, 1);
const RECORD_STEP_MS = 10;
const FAKER_SEED = 1;

/** Makes the function that makes the arguments of row `seq`. */
export function fakerRecords(): (seq: number) => readonly unknown[] {
  faker.seed(FAKER_SEED);
  const { number, person, internet, location, helpers } = faker;
  return (seq) => {
    const [firstName, lastName] = [person.firstName(), person.lastName()];
    return [
      RUN_ID,
      seq,
      TIME_ORIGIN_MS + seq * RECORD_STEP_MS + number.int({ min: 0, max: 9 }),
      `${firstName} ${lastName}`,
      internet.email({ firstName, lastName }),
      location.city(),
      number.float({ min: 1, max: 1000, fractionDigits: 2 }),
      helpers.weightedArrayElement(STATES),
      {
        visits: number.int({ min: 1, max: 200 }),
        orders: number.int({ min: 0, max: 199 }),
        refunds: number.int({ min: 0, max: 19 }),
        points: number.int({ min: 0, max: 1_000_000 }),
      },
    ];
  };
}
