export type { ConfigInput } from "./config-options.js";
export { entryOf } from "./entry-of.js";
export { configJsonSchema } from "./json-schema.js";
export {
  type Config,
  type ConfigEntry,
  type PresetsBeneath,
  parseConfig,
  type Section,
} from "./parse-config.js";
export { placeOf } from "./raft-peers-settings.js";
export { readConfigFile } from "./read-file.js";
export { fromServiceConfig, type ServiceConfigImport, type ServiceConfigOptions } from "./service-config.js";
