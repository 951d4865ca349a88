/** The levels of `google.protobuf.MethodOptions` that allow a repeat, by name and by number. */
const SAFE_LEVELS: readonly unknown[] = ["NO_SIDE_EFFECTS", "IDEMPOTENT", 1, 2];

/** What generators call the option: proto-loader and grpc-tools, ts-proto and protobufjs, protobuf-ts and Connect. */
const KEYS = ["idempotency_level", "idempotencyLevel", "idempotency"];

/** True when an idempotency level, as descriptors number it, allows a repeat. */
export function isSafeLevel(level: unknown): boolean {
  return SAFE_LEVELS.includes(level);
}

/** True when a method definition, of whatever generator, says that running the method twice does no harm. */
export function declaresIdempotent(definition: object): boolean {
  const options: unknown = Reflect.get(definition, "options");
  const places = typeof options === "object" && options !== null ? [definition, options] : [definition];
  return places.some((place) => KEYS.some((key) => isSafeLevel(Reflect.get(place, key))));
}
