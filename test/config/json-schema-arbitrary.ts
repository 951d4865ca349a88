import fc from "fast-check";

/** The part of JSON Schema that `Holdfast.jsonSchema()` uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** Values that fit a schema, except for the rules across keys; `texts` has those for keys whose text has a form. */
export function arbitraryOf(
  schema: Schema,
  texts: Readonly<Record<string, readonly string[]>>,
  key = "",
): fc.Arbitrary<unknown> {
  const inner = (part: Schema, name = key) => arbitraryOf(part, texts, name);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  // Beside properties it is a rule across them.
  const forms = schema.anyOf ?? (schema.properties === undefined ? schema.oneOf : undefined);
  if (forms !== undefined) return fc.oneof(...forms.map((part) => inner(part)));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => inner({ ...schema, type })));
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return fc.constantFrom(...(texts[key] ?? ["x"]));
    case "integer":
    case "number":
      return numbersOf(schema);
    case "array":
      return fc.uniqueArray(inner(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 3 });
    default:
      return schema.properties === undefined ? recordOf(schema) : fieldsOf(schema);
  }

  function recordOf({ additionalProperties = {} }: Schema): fc.Arbitrary<unknown> {
    const names = fc.constantFrom(...(texts[`${key}.*`] ?? ["x"]));
    return fc.dictionary(names, inner(additionalProperties === false ? {} : additionalProperties, "*"), {
      maxKeys: 3,
    });
  }

  function fieldsOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
    const fields = Object.entries(properties).map(([name, part]) => {
      const value = inner(part, name);
      // One of four, or hardly any object would pass all rules across its keys.
      const seldom = fc.oneof(
        { arbitrary: fc.constant(undefined), weight: 3 },
        { arbitrary: value, weight: 1 },
      );
      return [name, required.includes(name) ? value : seldom] as const;
    });
    return fc
      .record(Object.fromEntries(fields))
      .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
  }
}

/** The ends of a range, its default, and what lies between. */
function numbersOf(schema: Schema): fc.Arbitrary<number> {
  const least = schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 0.01;
  const most = schema.maximum ?? 1_000_000;
  const usual = [least, least + 1, 5, 100, 1_000, 30_000, 5_000_000, most];
  const fitting = usual.filter((value) => value >= least && value <= most);
  const standard = typeof schema.default === "number" ? [schema.default] : [];
  return fc.constantFrom(...fitting, ...standard);
}
