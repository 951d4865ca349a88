import { poolOptionsShape } from "../pool/pool-options.js";
import { policyNamed } from "./service-config-balancing.js";
import type { ServiceConfigOptions } from "./service-config.js";
import type { ServiceConfig } from "./service-config-schema.js";
