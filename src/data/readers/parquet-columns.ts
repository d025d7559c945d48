import type { FileMetaData, SchemaElement } from "hyparquet";
import { isRecord, parseJson, writtenFloat } from "./written-number.js";

/** A column, or what lies in one. */
export interface Column {
  readonly element: SchemaElement;
  readonly children: readonly Column[];
}

/**
 * What makes of a decoded row the values that are written in it: the columns of floats have floats (3.0,
 * where JavaScript would print 3), and the texts of JSON columns are parsed as other JSON is.
 */
export function numbersAsWritten(columns: readonly Column[]): (row: DecodedRow) => DecodedRow {
  const changed = new Map(
    columns.filter(hasSuchNumbers).map((column) => [column.element.name, column]),
  );
  return (row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        const column = changed.get(name);
        return [name, column === undefined ? value : valueOf(value, column)];
      }),
    );
}

type DecodedRow = Readonly<Record<string, unknown>>;

/** The columns that the rows have as fields. */
export function topColumns({ schema }: FileMetaData): readonly Column[] {
  let at = 0;
  const read = (): Column => {
    const element = schema[at++] as SchemaElement;
    return { element, children: Array.from({ length: element.num_children ?? 0 }, read) };
  };
  return read().children;
}

function hasSuchNumbers(column: Column): boolean {
  return isFloat(column) || isJson(column) || column.children.some(hasSuchNumbers);
}

const isFloat = ({ element: { type, logical_type: logical } }: Column) =>
  type === "FLOAT" || type === "DOUBLE" || logical?.type === "FLOAT16";

const isJson = ({ element: { converted_type: converted, logical_type: logical } }: Column) =>
  converted === "JSON" || logical?.type === "JSON";

function valueOf(value: unknown, column: Column): unknown {
  if (Array.isArray(value)) return value.map((item) => valueOf(item, itemOf(column)));
  if (isRecord(value) && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => {
        const child = childOf(column, name);
        return [name, child === undefined ? field : valueOf(field, child)];
      }),
    );
  }
  if (typeof value === "number" && isFloat(column)) return writtenFloat(value);
  return typeof value === "string" && isJson(column) ? parseJson(value) : value;
}

/** Of a list: `list.element`, in older files `array`, or a column that is repeated itself. */
function itemOf(column: Column): Column {
  const [repeated] = column.children;
  if (column.element.converted_type !== "LIST" || repeated === undefined) return column;
  const [only, ...others] = repeated.children;
  return only === undefined || others.length > 0 ? repeated : only;
}

/** Of a map every value is of one column; its keys are texts by then. */
function childOf({ element, children }: Column, name: string): Column | undefined {
  const [entries] = children;
  const isMap = element.converted_type === "MAP" || element.converted_type === "MAP_KEY_VALUE";
  if (isMap && entries !== undefined) return entries.children[1];
  return children.find((child) => child.element.name === name);
}
