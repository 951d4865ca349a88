import { type Fields, fieldsOf, isFilePath, isObject, type TlsFileOptions } from "../core/index.js";

const TLS_FILES = ["caFile", "certFile", "keyFile"];

/** Keys of `discovery` that name files, by the group they stand in. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  consul: ["tokenFile"],
  etcd: ["passwordFile"],
};

/**
 * The options of an entry with the whole paths of the files that its `discovery`, or its channel's, names: they are read
 * again later, when the working directory may be another.
 */
export function discoveryInFolder<O extends object>(options: O, whole: (path: string) => string): O {
  const own = fieldsOf(options);
  const changed: Record<string, unknown> = { ...own };
  if (own["discovery"] !== undefined)
    changed["discovery"] = withWholePaths(fieldsOf(own["discovery"]), whole);
  if (own["channel"] !== undefined) changed["channel"] = discoveryInFolder(fieldsOf(own["channel"]), whole);
  return changed as O;
}

/** The TLS of registries that an entry asks, and where in the entry it stands. */
export function discoveryTls(
  entry: object,
): readonly { readonly path: readonly string[]; readonly tls: TlsFileOptions }[] {
  const { discovery, channel } = fieldsOf(entry);
  const places = [
    { path: ["discovery"], fields: fieldsOf(discovery) },
    { path: ["channel", "discovery"], fields: fieldsOf(fieldsOf(channel)["discovery"]) },
  ];
  return places.flatMap(({ path, fields }) =>
    Object.keys(FILES).flatMap((group) => {
      const { tls } = fieldsOf(fields[group]);
      return isObject({ value: tls }) ? [{ path: [...path, group, "tls"], tls: tls as TlsFileOptions }] : [];
    }),
  );
}

function withWholePaths(discovery: Fields, whole: (path: string) => string): Fields {
  const changed: Record<string, unknown> = { ...discovery };
  for (const [group, files] of Object.entries(FILES)) {
    if (discovery[group] === undefined) continue;
    const given = fieldsOf(discovery[group]);
    const { tls } = given;
    changed[group] = {
      ...resolved(given, files, whole),
      ...(tls === undefined ? {} : { tls: resolved(fieldsOf(tls), TLS_FILES, whole) }),
    };
  }
  return changed;
}

function resolved(given: Fields, keys: readonly string[], whole: (path: string) => string): Fields {
  const paths = keys.flatMap((key) => {
    const path = given[key];
    return isFilePath(path) ? [[key, whole(path)] as const] : [];
  });
  return { ...given, ...Object.fromEntries(paths) };
}
