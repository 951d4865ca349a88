/** What has a place on a ring. */
export interface RingMember {
  /** Equal keys have equal places, whatever the order of the members. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
}
