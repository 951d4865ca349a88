import { z } from "zod";
import { describeIssues, isObject, problemsError } from "../core/index.js";

const codecSchema = z.custom<object>(
  (codec) => isObject({ value: codec }) && isFunction(codec, "encode") && isFunction(codec, "decode"),
  { message: "allowed: an object with the functions encode and decode" },
);

const settingsSchema = z.strictObject({ me: z.unknown().optional(), commandCodec: codecSchema.optional() });

/**
 * This node's place among the addresses: what the call says before what the configuration says.
 *
 * @param name of the entry
 * @throws ResilienceError `CONFIG_INVALID` when the settings are none, nobody said the place, or it is no place
 */
export function placeOf(
  name: string,
  settings: unknown,
  { addresses, me: ownPlace }: { readonly addresses: readonly string[]; readonly me?: number | undefined },
): number {
  const { error } = settingsSchema.safeParse(settings, { reportInput: true });
  const problems =
    error === undefined ? [] : describeIssues(error.issues, settingsSchema, settings, "settings");
  const given: unknown = isObject({ value: settings }) ? Reflect.get(settings as object, "me") : undefined;
  const me = given === undefined ? ownPlace : given;
  const isPlace = typeof me === "number" && Number.isInteger(me) && me >= 0 && me < addresses.length;
  if (isPlace && problems.length === 0) return me;
  if (!isPlace && isObject({ value: settings })) {
    const allowed = `allowed: 0 to ${addresses.length - 1}, this node's place in addresses`;
    const is =
      me === undefined ? "missing in the file and in the call" : `${typeof me === "number" ? me : typeof me}`;
    problems.push(`raftPeers.${name}.me is ${is}; ${allowed}`);
  }
  throw problemsError("Holdfast", problems);
}

function isFunction(holder: unknown, key: string): boolean {
  return typeof Reflect.get(holder as object, key) === "function";
}
