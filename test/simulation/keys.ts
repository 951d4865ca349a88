/** Keys of the simulated users: logs are only appended to, registers are put and read. */
export const KEYS = { logs: ["log-0", "log-1", "log-2"], registers: ["reg-0", "reg-1"] } as const;
