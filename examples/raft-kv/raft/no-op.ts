/** The command a leader begins its term with; a state machine does nothing with it. No other command equals it. */
export const NO_OP: Uint8Array = Uint8Array.of(0);
