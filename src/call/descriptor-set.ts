import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { saidBy } from "../core/index.js";
import { isSafeLevel } from "./idempotency.js";
import type { MethodDefinition } from "./rpc-kind.js";

/** A method as descriptors describe it. */
export interface DescribedMethod extends MethodDefinition {
  readonly isIdempotent: boolean;
}

/** Field numbers of google/protobuf/descriptor.proto. Its generated classes take 50 ms to load; six fields are needed. */
const FILE = 1;
const PACKAGE = 2;
const SERVICE = 6;
const NAME = 1;
const METHOD = 2;
const OPTIONS = 4;
const CLIENT_STREAMING = 5;
const SERVER_STREAMING = 6;
const IDEMPOTENCY_LEVEL = 34;

const PATH = /^\/[A-Za-z_][\w.]*\/[A-Za-z_]\w*$/;

/**
 * The methods in a serialized `google.protobuf.FileDescriptorSet`, as `protoc --descriptor_set_out` or `buf build -o`
 * write it; or, as a sentence, why there are none.
 */
export function describedMethods(bytes: Uint8Array): readonly DescribedMethod[] | string {
  try {
    const methods = messages(fieldsOf(bytes), FILE).flatMap(methodsOfFile);
    return methods.length > 0 ? methods : "describes no method";
  } catch (error) {
    return `is no FileDescriptorSet: ${saidBy(error)}`;
  }
}

function methodsOfFile(file: Fields): DescribedMethod[] {
  const namespace = textOf(file, PACKAGE);
  return messages(file, SERVICE).flatMap((service) => {
    const name = textOf(service, NAME);
    const path = namespace === "" ? name : `${namespace}.${name}`;
    return messages(service, METHOD).map((method) => methodOf(path, method));
  });
}

function methodOf(service: string, method: Fields): DescribedMethod {
  const path = `/${service}/${textOf(method, NAME)}`;
  // Many a file that is something else can be read as a message of unknown fields.
  if (!PATH.test(path)) throw new Error(`${JSON.stringify(path.slice(0, 80))} is the path of no method`);
  const levels = messages(method, OPTIONS).map((options) => numberOf(options, IDEMPOTENCY_LEVEL));
  return {
    path,
    requestStream: numberOf(method, CLIENT_STREAMING) === 1,
    responseStream: numberOf(method, SERVER_STREAMING) === 1,
    isIdempotent: levels.some(isSafeLevel),
  };
}

/** The fields of one message by number, in the order they came; numbers as numbers, everything with a length as bytes. */
type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(Number(reader.uint64()));
    else reader.skip(type, number);
  }
  return fields;
}

function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => {
    if (typeof value === "number") throw new Error(`field ${number} holds a number`);
    return fieldsOf(value);
  });
}

function textOf(fields: Fields, number: number): string {
  const value = fields.get(number)?.at(-1) ?? new Uint8Array();
  if (typeof value === "number") throw new Error(`field ${number} holds a number`);
  return new TextDecoder("utf-8", { fatal: true }).decode(value);
}

function numberOf(fields: Fields, number: number): number {
  const value = fields.get(number)?.at(-1);
  return typeof value === "number" ? value : 0;
}
