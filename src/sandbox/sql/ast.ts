/** Statements and expressions as the parser gives them: the subset of CrateDB's SQL that the sandbox runs. */
import type { Json } from '../values/json.ts';
import type { DataType } from '../values/types.ts';

export interface RelationRef {
  /** Null when the statement names none: the session's schema. */
  readonly schema: string | null;
  readonly name: string;
}

export type BinaryOperator =
  | 'and'
  | 'or'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '||'
  | 'like'
  | 'ilike'
  | '~'
  | '~*';

export type Expression =
  | { readonly kind: 'literal'; readonly value: Json; readonly type: DataType }
  | { readonly kind: 'param'; readonly index: number }
  | { readonly kind: 'column'; readonly qualifier: string | null; readonly name: string }
  | { readonly kind: 'subscript'; readonly base: Expression; readonly index: Expression }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly distinct: boolean;
      readonly filter: Expression | null;
    }
  | { readonly kind: 'star' }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | { readonly kind: 'isNull'; readonly operand: Expression; readonly negated: boolean }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'inSelect';
      readonly operand: Expression;
      readonly select: Select;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'any';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly array: Expression;
      readonly all: boolean;
    }
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: DataType;
      readonly lenient: boolean;
    }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Expression])[] }
  | {
      readonly kind: 'case';
      readonly operand: Expression | null;
      readonly branches: readonly (readonly [Expression, Expression])[];
      readonly otherwise: Expression | null;
    }
  | { readonly kind: 'scalar'; readonly select: Select };

export interface SelectItem {
  readonly expression: Expression;
  readonly alias: string | null;
}

export type Source =
  | { readonly kind: 'relation'; readonly relation: RelationRef; readonly alias: string | null }
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly alias: string | null;
      readonly columns: readonly string[];
    }
  | {
      readonly kind: 'select';
      readonly select: Select;
      readonly alias: string | null;
      readonly columns: readonly string[];
    }
  | {
      readonly kind: 'values';
      readonly rows: readonly (readonly Expression[])[];
      readonly alias: string | null;
      readonly columns: readonly string[];
    };

export interface OrderItem {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Select {
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: Source | null;
  readonly where: Expression | null;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expression | null;
  readonly offset: Expression | null;
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: DataType;
  readonly notNull: boolean;
  readonly primaryKey: boolean;
  readonly defaultValue: Expression | null;
  readonly generated: Expression | null;
  readonly checks: readonly CheckDefinition[];
  /** `off`, `plain`, `fulltext` … and the options of `USING x WITH (…)`; null when nothing is said. */
  readonly index: { readonly method: string; readonly options: Options } | null;
  readonly storage: Options | null;
}

export interface CheckDefinition {
  readonly name: string | null;
  readonly expression: Expression;
}

export type Options = readonly (readonly [string, Expression])[];

export interface CreateTable {
  readonly kind: 'createTable';
  readonly relation: RelationRef;
  readonly ifNotExists: boolean;
  readonly columns: readonly ColumnDefinition[];
  readonly primaryKey: readonly string[];
  readonly primaryKeyName: string | null;
  readonly checks: readonly CheckDefinition[];
  readonly clusteredBy: string | null;
  readonly shards: Expression | null;
  readonly partitionedBy: readonly string[];
  readonly options: Options;
}

export type ConflictAction =
  | { readonly kind: 'nothing'; readonly columns: readonly string[] }
  | {
      readonly kind: 'update';
      readonly columns: readonly string[];
      readonly assignments: readonly Assignment[];
    };

export interface Assignment {
  readonly target: Expression;
  readonly value: Expression;
}

export interface Insert {
  readonly kind: 'insert';
  readonly relation: RelationRef;
  readonly columns: readonly string[];
  readonly source:
    | { readonly kind: 'values'; readonly rows: readonly (readonly (Expression | 'default')[])[] }
    | { readonly kind: 'select'; readonly select: Select };
  readonly conflict: ConflictAction | null;
  readonly returning: readonly SelectItem[];
}

export type AlterAction =
  | { readonly kind: 'set'; readonly options: Options }
  | { readonly kind: 'reset'; readonly names: readonly string[] }
  | { readonly kind: 'addColumn'; readonly path: readonly string[]; readonly column: ColumnDefinition }
  | { readonly kind: 'dropColumn'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'rename'; readonly name: RelationRef }
  | { readonly kind: 'open' | 'close' };

export interface PartitionRef {
  readonly relation: RelationRef;
  readonly partition: Options | null;
}

export type Statement =
  | { readonly kind: 'empty' }
  | { readonly kind: 'select'; readonly select: Select }
  | { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] }
  | CreateTable
  | Insert
  | { readonly kind: 'dropTable'; readonly relation: RelationRef; readonly ifExists: boolean }
  | { readonly kind: 'createSchema'; readonly name: string; readonly ifNotExists: boolean }
  | { readonly kind: 'dropSchema'; readonly name: string; readonly ifExists: boolean }
  | {
      readonly kind: 'update';
      readonly relation: RelationRef;
      readonly assignments: readonly Assignment[];
      readonly where: Expression | null;
    }
  | { readonly kind: 'delete'; readonly relation: RelationRef; readonly where: Expression | null }
  | { readonly kind: 'alterTable'; readonly target: PartitionRef; readonly actions: readonly AlterAction[] }
  | { readonly kind: 'refresh' | 'optimize'; readonly targets: readonly PartitionRef[] }
  | { readonly kind: 'analyze' | 'transaction' }
  | { readonly kind: 'kill'; readonly job: Expression | null }
  | { readonly kind: 'set'; readonly name: string; readonly values: readonly Expression[] }
  | { readonly kind: 'setGlobal'; readonly options: Options }
  | { readonly kind: 'resetGlobal'; readonly names: readonly string[] }
  | { readonly kind: 'showCreate'; readonly relation: RelationRef }
  | { readonly kind: 'show'; readonly what: 'tables' | 'schemas' }
  | { readonly kind: 'showParameter'; readonly name: string };
