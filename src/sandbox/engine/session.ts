/** What belongs to one connection: user, schema and settings, made by its first request and kept until it closes. */
import type { Json } from '../values/json.ts';

export class Session {
  readonly user: string;
  readonly settings = new Map<string, Json>();
  schema: string;

  constructor(user: string, schema: string) {
    this.user = user;
    this.schema = schema;
  }
}
