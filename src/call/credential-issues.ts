/** Which issue of their credentials call and connection had. */
export interface CredentialIssues {
  readonly ofCall: number;
  readonly ofSlot: number;
}
