/**
 * The typed model of a table: CrateDB's column types, keys, partitions, settings, and how each column is
 * generated. Presets, schema files and introspected tables all become this; DDL, statements and the row plan
 * are made from it.
 */

/** The policy of an OBJECT column: what happens to keys that are not declared. */
export type ObjectPolicy = 'dynamic' | 'strict' | 'ignored';

/** Every type a column of CrateDB 6.4 can have. Source: cratedb.com docs, general/ddl/data-types. */
export type ColumnType =
  | { readonly kind: 'boolean' | 'byte' | 'smallint' | 'integer' | 'bigint' | 'real' | 'double' }
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'text' | 'ip' | 'uuid' | 'timestamptz' | 'timestamp' | 'geo_point' | 'geo_shape' }
  | { readonly kind: 'varchar' | 'char' | 'bit'; readonly length: number }
  | { readonly kind: 'float_vector'; readonly dimensions: number }
  | { readonly kind: 'object'; readonly policy: ObjectPolicy; readonly columns: readonly Column[] }
  | { readonly kind: 'array'; readonly of: ColumnType };
