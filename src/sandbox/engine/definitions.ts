/** CREATE, DROP and ALTER: the statements that change which tables, columns and schemas there are. */
import type { PartitionRef, Statement } from '../sql/ast.ts';
import { castValue } from '../values/casts.ts';
import {
  type Catalog,
  checkOptions,
  columnOf,
  constantOf,
  findColumn,
  fullName,
  isOn,
  relationName,
  SYSTEM_SCHEMAS,
  type Partition,
  type Table,
} from './catalog.ts';
import {
  BLOCKS,
  SqlFailure,
  blocked,
  inaccessible,
  invalid,
  relationUnknown,
  unsupported,
} from '../failure.ts';
import { valueText } from '../values/java-text.ts';
import type { Json } from '../values/json.ts';
import { columnsOf } from './select.ts';
import type { Session } from './session.ts';
import { answerText } from '../values/cells.ts';
import type { Store } from './store.ts';

/** All give the number of rows that the server answers, and throw SqlFailure for what it would refuse. */
export class Definitions {
  readonly #catalog: Catalog;
  readonly #store: Store;

  constructor(catalog: Catalog, store: Store) {
    this.#catalog = catalog;
    this.#store = store;
  }

  createTable(statement: Extract<Statement, { kind: 'createTable' }>, session: Session): number {
    const { schema, name } = relationName(statement.relation, session.schema);
    if (this.#catalog.find(schema, name) !== null) {
      if (statement.ifNotExists) return 0;
      throw new SqlFailure(409, 4093, `RelationAlreadyExists[Relation '${schema}.${name}' already exists.]`);
    }
    this.#store.create(this.#catalog.create(statement, schema));
    return 1;
  }

  dropTable(statement: Extract<Statement, { kind: 'dropTable' }>, session: Session): number {
    const { schema, name } = relationName(statement.relation, session.schema);
    const table = this.#catalog.find(schema, name);
    if (SYSTEM_SCHEMAS.includes(schema)) throw inaccessible(`${schema}.${name}`, 'DROP');
    if (table === null) {
      if (statement.ifExists) return 0;
      this.#catalog.get(schema, name);
      throw relationUnknown(`${schema}.${name}`);
    }
    if (table.closed || isOn(table.options, 'blocks.write') || isOn(table.options, 'blocks.read_only'))
      throw inaccessible(fullName(table), 'DROP', table.closed);
    if (isOn(table.options, 'blocks.read_only_allow_delete')) throw blocked(BLOCKS.readOnlyAllowDelete);
    this.#store.drop(table);
    this.#catalog.drop(table);
    return 1;
  }

  createSchema(name: string, ifNotExists: boolean): number {
    if (this.#catalog.hasSchema(name) && !ifNotExists)
      throw new SqlFailure(409, 40910, `SchemaAlreadyExists[Schema '${name}' already exists]`);
    this.#catalog.addSchema(name);
    return 1;
  }

  dropSchema(name: string, ifExists: boolean): number {
    if (!this.#catalog.hasSchema(name)) {
      if (ifExists) return 0;
      throw new SqlFailure(404, 4045, `SchemaUnknownException[Schema '${name}' unknown]`);
    }
    if (this.#catalog.tables().some((table) => table.schema === name))
      throw new SqlFailure(
        400,
        40013,
        `DependentObjectsExists[Cannot drop schema '${name}' because other objects depend on it]`,
      );
    this.#catalog.dropSchema(name);
    return 1;
  }

  alterTable(statement: Extract<Statement, { kind: 'alterTable' }>, session: Session): number {
    let rowcount = -1;
    for (const action of statement.actions) {
      const table = this.#catalog.named(statement.target.relation, session.schema);
      const partitions = this.partitions(statement.target, session);
      switch (action.kind) {
        case 'set':
        case 'reset': {
          const targets =
            statement.target.partition === null
              ? [table.options, ...partitions.map((part) => part.options)]
              : partitions.map((part) => part.options);
          for (const options of targets) changeOptions(options, action);
          break;
        }
        case 'addColumn':
          this.#addColumn(table, action);
          break;
        case 'dropColumn':
          this.#dropColumn(table, action);
          break;
        case 'rename':
          this.#catalog.rename(table, action.name.schema ?? table.schema, action.name.name);
          break;
        case 'open':
        case 'close':
          table.closed = action.kind === 'close';
          rowcount = -1;
          break;
      }
      this.#catalog.version += 1;
      this.#store.keep(this.#catalog.find(table.schema, table.name) ?? table);
    }
    return rowcount;
  }

  #addColumn(
    table: Table,
    action: { readonly path: readonly string[]; readonly column: Parameters<typeof columnOf>[0] },
  ): void {
    const [root = '', ...rest] = action.path;
    const known = findColumn(table, root);
    if (rest.length > 0) {
      if (known?.type.kind !== 'object') throw invalid(`Column ${root} is not an object`);
      known.type.fields.set(rest.at(-1) ?? '', { type: action.column.type, notNull: action.column.notNull });
      return;
    }
    if (known !== null) throw invalid(`The table ${fullName(table)} already has a column named ${root}`);
    const position = Math.max(0, ...table.columns.map((column) => column.position)) + 1;
    const column = columnOf({ ...action.column, name: root }, false, position);
    this.#store.addColumn(table, column);
    table.columns.push(column);
  }

  #dropColumn(table: Table, action: { readonly name: string; readonly ifExists: boolean }): void {
    const at = table.columns.findIndex((column) => column.name === action.name);
    if (at === -1) {
      if (action.ifExists) return;
      throw new SqlFailure(404, 4043, `ColumnUnknownException[Column ${action.name} unknown]`);
    }
    if (table.primaryKey.includes(action.name))
      throw unsupported(`Dropping column: ${action.name} which is part of the 'PRIMARY KEY' is not allowed`);
    const check = table.checks.find(({ expression }) => columnsOf([expression]).has(action.name));
    if (check !== undefined)
      throw unsupported(
        `Dropping column: ${action.name} which is used in CHECK CONSTRAINT: ${check.name} is not allowed`,
      );
    table.columns.splice(at, 1); // its cells stay, unseen, until the table goes
  }

  /** The partitions that a PARTITION clause names, or all. Throws 4046 for one that does not exist. */
  partitions(target: PartitionRef, session: Session): readonly Partition[] {
    const table = this.#catalog.named(target.relation, session.schema);
    if (target.partition === null) return [...table.partitions.values()];
    const wanted = new Map(target.partition.map(([name, value]) => [name, constantOf(value)]));
    const texts = table.partitionedBy.map((name) => {
      const column = findColumn(table, name);
      const value = wanted.get(name) ?? null;
      return column === null
        ? 'null'
        : answerText(value === null ? null : castValue(value, column.type), column.type);
    });
    const partition = table.partitions.get(`[${texts.join(',')}]`);
    if (partition !== undefined) return [partition];
    const ident = partitionIdent([...wanted.values()]);
    throw new SqlFailure(
      404,
      4046,
      `PartitionUnknownException[No partition for table '${fullName(table)}' with ident '${ident}' exists]`,
    );
  }
}

type OptionAction = Extract<
  Extract<Statement, { kind: 'alterTable' }>['actions'][number],
  { kind: 'set' | 'reset' }
>;

function changeOptions(options: Map<string, Json>, action: OptionAction): void {
  if (action.kind === 'reset') for (const name of action.names) options.delete(name);
  else {
    checkOptions(action.options.map(([name]) => name));
    for (const [name, value] of action.options) options.set(name, constantOf(value));
  }
}

const BASE32 = '0123456789abcdefghijklmnopqrstuv';

/** CrateDB's name of a partition: number of values, then each as text with its length, in lower-case base 32. */
function partitionIdent(values: readonly Json[]): string {
  const bytes = [
    values.length,
    ...values.flatMap((value) => textBytes(value === null ? null : valueText(value))),
  ];
  let [bits, length, ident] = [0, 0, ''];
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    length += 8;
    while (length >= 5) {
      length -= 5;
      ident += BASE32[(bits >> length) & 31] ?? '';
    }
    bits &= (1 << length) - 1;
  }
  return length === 0 ? ident : ident + (BASE32[(bits << (5 - length)) & 31] ?? '');
}

function textBytes(text: string | null): readonly number[] {
  if (text === null) return [0];
  const bytes = [...Buffer.from(text)];
  return [bytes.length + 1, ...bytes];
}
