import { parseOptions } from "../../core/index.js";
import { RetryThrottle, type ThrottleOptions, throttleOptionsSchema } from "../../retry/index.js";

/**
 * A token bucket for all interceptors, of whatever clients, that call the same servers (gRFC A6, retryThrottling; R27).
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function retryThrottle(options: ThrottleOptions = {}): RetryThrottle {
  return new RetryThrottle(parseOptions(throttleOptionsSchema, options, "retryThrottle"));
}
