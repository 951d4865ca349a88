import type { Client } from "@grpc/grpc-js";

/** What a method's callers must know of it. */
export interface MethodKind {
  readonly name: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What generators tell of a method: enough to call it without the stub. */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: unknown) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** What every function has. */
const FUNCTION_KEYS: readonly PropertyKey[] = ["length", "name", "arguments", "caller", "prototype"];

/** The names of what might be RPCs: all methods of a stub but those of grpc-js's `Client`. */
export function methodNames(stub: Client): string[] {
  const names = new Set<string>();
  for (const level of levelsOf(stub)) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const { value } = Object.getOwnPropertyDescriptor(level, name) as PropertyDescriptor;
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}

/** The definition of a method, on the method itself, on one that it overrides, or in the class's `service`. */
export function definitionOf(stub: Client, name: string): MethodDefinition | null {
  for (const level of levelsOf(stub)) {
    const method: unknown = Reflect.getOwnPropertyDescriptor(level, name)?.value;
    if (isDefinition(method)) return method;
  }
  const service: unknown = Reflect.get(stub.constructor, "service");
  const listed: unknown = typeof service === "object" && service !== null ? Reflect.get(service, name) : null;
  return isDefinition(listed) ? listed : null;
}

/** True for a method as grpc-js makes it, which does nothing but call. */
export function isGenerated(method: unknown): boolean {
  if (typeof method !== "function" || !isDefinition(method)) return false;
  const { name, length }: { readonly name: string; readonly length: number } = method;
  return name === "" && length === 0 && Reflect.ownKeys(method).every((key) => isField(method, key));
}

/** The marks that wrappers leave on a function are symbols, or hidden; fields of a definition are neither. */
function isField(method: object, key: PropertyKey): boolean {
  if (FUNCTION_KEYS.includes(key)) return true;
  return typeof key === "string" && Object.prototype.propertyIsEnumerable.call(method, key);
}

function isDefinition(value: unknown): value is MethodDefinition {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const { path, requestSerialize, responseDeserialize } = value as Partial<MethodDefinition>;
  return (
    typeof path === "string" &&
    typeof requestSerialize === "function" &&
    typeof responseDeserialize === "function"
  );
}

/** The stub and its prototypes, as far as grpc-js's `Client`, which may be of another copy of grpc-js. */
function* levelsOf(stub: object): Generator<object> {
  let level: object | null = stub;
  while (level !== null && level !== Object.prototype && !Object.hasOwn(level, "makeUnaryRequest")) {
    yield level;
    level = Object.getPrototypeOf(level);
  }
}
