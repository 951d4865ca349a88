import { z } from "zod";
import { configSchema } from "./config-options.js";
import { KEY_DESCRIPTIONS } from "./key-descriptions.js";

type Schema = { [key: string]: unknown };

/** The schema of the file for editors, as JSON Schema 2020-12; most rules across keys are beyond it. */
export function configJsonSchema(): object {
  const schema: Schema = z.toJSONSchema(
    configSchema(() => []),
    { io: "input", unrepresentable: "any" },
  );
  for (const [place, description] of Object.entries(KEY_DESCRIPTIONS)) {
    for (const found of placesIn(schema, place)) found["description"] = description;
  }
  // Their preset, and so their defaults, are others than those of the schema.
  for (const channel of placesIn(schema, "*.*.channel")) dropBelow(channel, "default");
  dropRefused(schema);
  return {
    ...schema,
    patternProperties: { "^x-": { description: "A template for YAML anchors; not read." } },
  };
}

/** The schemas at a place, which are several where it has a `*`. */
export function placesIn(schema: object, place: string): Schema[] {
  return place
    .split(".")
    .reduce<Schema[]>((schemas, step) => schemas.flatMap((at) => childrenOf(at, step)), [schema as Schema]);
}

function childrenOf({ properties, additionalProperties, anyOf, oneOf }: Schema, step: string): Schema[] {
  // A group that may also be false, null or a name stands in one of several forms.
  const forms = [anyOf, oneOf].find(hasForms);
  if (forms !== undefined) return forms.flatMap((form) => childrenOf(form, step));
  const known = isSchema(properties) ? properties : {};
  if (step !== "*") return [known[step]].filter(isSchema);
  return isSchema(additionalProperties) ? [additionalProperties] : Object.values(known).filter(isSchema);
}

/** True for the forms of a value; what merely asks for some of its keys is none. */
function hasForms(forms: unknown): forms is Schema[] {
  const isForm = (form: unknown) => isSchema(form) && ["type", "anyOf", "oneOf"].some((key) => key in form);
  return Array.isArray(forms) && forms.some(isForm);
}

function dropBelow(schema: Schema, key: string): void {
  Reflect.deleteProperty(schema, key);
  for (const inner of Object.values(schema).filter(isSchema)) dropBelow(inner, key);
}

/** Keys that are known only to be refused with a reason. */
function dropRefused(schema: Schema): void {
  for (const [key, inner] of Object.entries(schema)) {
    if (!isSchema(inner)) continue;
    if (inner["deprecated"] === true) Reflect.deleteProperty(schema, key);
    else dropRefused(inner);
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}
