/**
 * The failures that the endpoint answers with: HTTP status, CrateDB code and the message as the server words it.
 * They are thrown inside the sandbox and end as an answer; none of them leaves it.
 */

/** A statement, or one row of it, that CrateDB would refuse. `message` carries the Java class and its brackets. */
export class SqlFailure extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Bad data or bad syntax: 400/4000. */
export function invalid(message: string): SqlFailure {
  return new SqlFailure(400, 4000, `SQLParseException[${message}]`);
}

/** Text that the grammar does not know; `line` and `column` start at 1. */
export function syntaxError(line: number, column: number, message: string): SqlFailure {
  return new SqlFailure(400, 4000, `ParsingException[line ${line}:${column}: ${message}]`);
}

export function unsupported(message: string): SqlFailure {
  return new SqlFailure(400, 4004, `UnsupportedFeatureException[${message}]`);
}

export function relationUnknown(name: string): SqlFailure {
  return new SqlFailure(404, 4041, `RelationUnknown[Relation '${name}' unknown]`);
}

export function schemaUnknown(name: string): SqlFailure {
  return new SqlFailure(404, 4045, `SchemaUnknownException[Schema '${name}' unknown]`);
}

export function columnUnknown(name: string): SqlFailure {
  return new SqlFailure(404, 4043, `ColumnUnknownException[Column ${name} unknown]`);
}

export function functionUnknown(name: string, args: readonly string[]): SqlFailure {
  return new SqlFailure(
    400,
    4004,
    `UnsupportedFunctionException[Unknown function: ${name}(${args.join(', ')})]`,
  );
}

export function duplicateKey(): SqlFailure {
  return new SqlFailure(
    409,
    4091,
    'DuplicateKeyException[A document with the same primary key exists already]',
  );
}

/** The relation is closed or carries a block that CrateDB checks before it plans the statement. */
export function inaccessible(name: string, operation: string, closed = false): SqlFailure {
  const text = `The relation "${name}" doesn't support or allow ${operation} operations${closed ? ', as it is currently closed.' : ''}`;
  return new SqlFailure(400, 4007, `OperationOnInaccessibleRelationException[${text}]`);
}

/** A Java cast inside the server that nothing maps: 500/5000. */
export function classCast(from: string, to: string): SqlFailure {
  const where = `(${from} and ${to} are in module java.base of loader 'bootstrap')`;
  return new SqlFailure(
    500,
    5000,
    `ClassCastException[class ${from} cannot be cast to class ${to} ${where}]`,
  );
}

/** The blocks that refuse writes while the statement runs, as the server names them. */
export const BLOCKS = {
  readOnlyAllowDelete: block(4037, 'RELATION_READ_DELETE_ONLY/12/index read-only / allow delete (api)'),
  readOnly: block(4033, 'RELATION_READ_ONLY/5/index read-only (api)'),
  write: block(4035, 'RELATION_READ_AND_DDL_ONLY/8/index write (api)'),
} as const;

export interface Block {
  readonly code: number;
  readonly message: string;
}

function block(code: number, name: string): Block {
  return { code, message: `ClusterBlockException[blocked by: [${name}];]` };
}

export function blocked(by: Block): SqlFailure {
  return new SqlFailure(403, by.code, by.message);
}

/** Thrown where CrateDB 6.4.3 forgets to answer: the statement has run, and its connection stays open. */
export class NeverAnswered extends Error {
  override readonly name = 'NeverAnswered';
}
