/** `sys`, `information_schema` and `pg_catalog`: what a single healthy node would answer about itself. */
import { schemaUnknown } from '../failure.ts';
import { relationOfRows, type Relation } from '../engine/select.ts';
import type { NamedDefinition, SystemFacts } from './definition.ts';
import { informationSchemaTables } from './information-schema.ts';
import { PG_CATALOG_TABLES } from './pg-catalog.ts';
import { SYS_TABLES } from './sys.ts';

/** The system table of that name, or null. */
export function systemTable(schema: string, name: string, facts: SystemFacts): Relation | null {
  if (schema === 'sys' && facts.situation.hidesSystem) throw schemaUnknown(schema);
  const definition = TABLES.get(`${schema}.${name}`);
  return definition === undefined ? null : relationOfRows(name, definition[0], () => definition[1](facts));
}

const TABLES: ReadonlyMap<string, NamedDefinition[1]> = new Map([
  ...SYS_TABLES,
  ...informationSchemaTables(() => [...TABLES.keys()]),
  ...PG_CATALOG_TABLES,
]);
