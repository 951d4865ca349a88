import { text } from "node:stream/consumers";
import { getHeapSnapshot } from "node:v8";

/** The parts of a heap snapshot that are read here. */
interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** As V8 calls the memory behind an ArrayBuffer. */
const CONTENTS = "system / JSArrayBufferData";

/** How many buffers of at least so many bytes a heap snapshot finds: those that something still holds. */
export async function countLargeBuffers(minBytes: number): Promise<number> {
  const { snapshot, nodes, strings } = JSON.parse(await text(getHeapSnapshot())) as Snapshot;
  const fields = snapshot.meta.node_fields;
  const [nameAt, sizeAt] = [fields.indexOf("name"), fields.indexOf("self_size")];
  const contents = strings.indexOf(CONTENTS);
  let count = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    if (nodes[node + nameAt] === contents && (nodes[node + sizeAt] as number) >= minBytes) count++;
  }
  return count;
}
