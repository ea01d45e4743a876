/**
 * A JSON Schema validator for exactly the keywords that the run file's schema uses: an unknown keyword is an
 * error, so that a new one is not passed over.
 */
type Schema = Readonly<Record<string, unknown>>;

/** Problems of `value` under `schema`, each with its path; empty when it is valid. */
export function schemaProblems(schema: Schema, value: unknown, path = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) =>
    keywordProblems(keyword, argument, schema, value, path),
  );
}

function keywordProblems(
  keyword: string,
  argument: unknown,
  schema: Schema,
  value: unknown,
  path: string,
): string[] {
  const fail = (claim: boolean): string[] =>
    claim ? [] : [`${path}: ${keyword} ${JSON.stringify(argument)}`];
  switch (keyword) {
    case '$schema':
    case 'title':
    case 'default':
    case 'description':
    case 'propertyNames':
      return [];
    case 'type':
      return fail(typeOf(value) === argument || (argument === 'number' && typeOf(value) === 'integer'));
    case 'const':
      return fail(value === argument);
    case 'enum':
      return fail(Array.isArray(argument) && argument.includes(value));
    case 'minimum':
      return fail(typeof value !== 'number' || value >= Number(argument));
    case 'maximum':
      return fail(typeof value !== 'number' || value <= Number(argument));
    case 'maxLength':
      return fail(typeof value !== 'string' || value.length <= Number(argument));
    case 'pattern':
      return fail(typeof value !== 'string' || new RegExp(String(argument), 'u').test(value));
    case 'format':
      return fail(argument === 'date-time' && typeof value === 'string' && !Number.isNaN(Date.parse(value)));
    case 'required':
      return fail(
        isRecord(value) && Array.isArray(argument) && argument.every((key) => String(key) in value),
      );
    case 'anyOf':
    case 'oneOf':
      return fail(
        Array.isArray(argument) &&
          argument.some((each) => schemaProblems(asSchema(each), value, path).length === 0),
      );
    case 'properties':
      return Object.entries(asSchema(argument)).flatMap(([key, each]) =>
        isRecord(value) && key in value ? schemaProblems(asSchema(each), value[key], `${path}.${key}`) : [],
      );
    case 'additionalProperties': {
      const declared = isRecord(schema['properties']) ? schema['properties'] : {};
      const others = isRecord(value) ? Object.entries(value).filter(([key]) => !(key in declared)) : [];
      return others.flatMap(([key, each]) => schemaProblems(asSchema(argument), each, `${path}.${key}`));
    }
    case 'items':
      return Array.isArray(value)
        ? value.flatMap((each, index) => schemaProblems(asSchema(argument), each, `${path}[${index}]`))
        : [];
    default:
      throw new Error(`the check does not know the keyword ${keyword}`);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asSchema(value: unknown): Schema {
  if (!isRecord(value)) throw new Error(`no schema: ${JSON.stringify(value)}`);
  return value;
}
