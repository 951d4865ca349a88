import { below, type Descriptions, DISCOVERY, TLS } from "./discovery-descriptions.js";

/** Of retry, wherever it stands. */
const RETRY: Descriptions = {
  maxAttempts: "Attempts per call, the first included; 1 turns retries off.",
  maxAttemptsLimit: "What maxAttempts of a method or a call may at most be.",
  backoff: "How long to wait before a retry.",
  "backoff.kind": "How the wait grows.",
  "backoff.initialMs": "Wait before the first retry, in ms.",
  "backoff.multiplier": "Growth per retry of the exponential kind.",
  "backoff.maxMs": "Longest wait before chance, in ms.",
  "backoff.jitter":
    "What chance does to the wait: spread20 takes 80 to 120 % of it, full 0 to 100 %, additive10 adds up to 10 %.",
  retryableCodes: "Codes worth another attempt, as names or numbers.",
  throttle: "The retry throttle that all calls of a target share; false for none.",
  "throttle.maxTokens": "Tokens of a full bucket; retries stop at half of them.",
  "throttle.tokenRatio": "Tokens that each success gives back.",
  perCallBufferBytes: "Bytes of one call kept for a retry; a larger call is sent once.",
  perChannelBufferBytes: "Bytes that all calls of a channel may keep for retries.",
};

const HEDGING: Descriptions = {
  maxAttempts: "Attempts per call, the first included.",
  delayMs: 'Wait before each further attempt, in ms; "p95" for as long as 95 % of the last answers took.',
  initialDelayMs: 'The wait under "p95" until 20 answers of the method are known, in ms.',
  nonFatalCodes: "Codes after which the other attempts go on; any other failure ends the call.",
};

/** Of a channel and of its methods. */
const CALLS: Descriptions = {
  timeoutMs: "Time for a call with a single response, attempts and waits included, in ms; null for none.",
  maxTimeoutMs:
    "Longest time of any call, in ms, whatever deadline it brings, streams included; null for none.",
  attemptTimeoutMs: "Limit of one attempt, in ms; null for none. At most timeoutMs.",
  waitForReady: "True to wait for a server until the deadline instead of failing while all are down.",
  retry: "When and how often failed attempts are repeated; false makes one attempt.",
  ...below("retry", RETRY),
  hedging: "Starts further attempts before the first has failed, on idempotent methods; false for none.",
  ...below("hedging", HEDGING),
  firstResponseTimeoutMs:
    "How long a response stream may be without response headers, in ms; null for no limit.",
  streamIdleTimeoutMs:
    "How long a response stream may be without a message while one is waited for, in ms; null for no limit.",
  compression: "How request messages are compressed.",
  maxSendMessageBytes: "Largest request message, in bytes.",
  maxReceiveMessageBytes: "Largest response message, in bytes.",
};

/** How many calls are looked at, wherever a share of them counts. */
const WINDOW: Descriptions = {
  size: "How many of the last calls are looked at.",
  threshold: "Share of them, above 0 and up to 1, that opens the breaker.",
  minimumCalls: "Calls before which the breaker stays closed; null for as many as size.",
};

const BREAKER: Descriptions = {
  consecutiveFailures:
    "Infrastructure failures in a row that open the breaker; 5 without count and sampling.",
  count: "Opens on the share of failures among the last calls, in place of failures in a row.",
  ...below("count", WINDOW),
  sampling: "Opens on the share of failures within a time, in place of failures in a row.",
  "sampling.durationMs": "How far back calls are looked at, in ms.",
  "sampling.threshold": "Share of failures, above 0 and up to 1, that opens the breaker.",
  "sampling.minimumRps": "Calls per second below which the breaker stays closed.",
  slowCalls: "Opens on slow answers as well.",
  ...below("slowCalls", WINDOW),
  "slowCalls.slowerThanMs": "Answers that took longer are slow, in ms.",
  openMs: "First time open before a probe, in ms; doubles with every failed probe.",
  maxOpenMs: "Longest time open, in ms.",
  probes: "Calls let through at once to try an endpoint again.",
  scope: "One breaker for each endpoint, or beside it one for each method called there.",
  probedBy: "Who tries an endpoint again: calls of users, or its health check alone, which needs health.",
};

/** Of both algorithms of outlier ejection. */
const EJECTION: Descriptions = {
  enforcementPercent: "Chance that such an endpoint is indeed ejected, in percent.",
  minimumHosts: "Endpoints with enough calls below which none is ejected.",
  requestVolume: "Calls that an endpoint must have had in one interval to be looked at.",
};

const OUTLIER_EJECTION: Descriptions = {
  intervalMs: "Time between two looks at the endpoints, in ms.",
  baseEjectionMs: "First time out of use, in ms; each further one is as much longer.",
  maxEjectionMs: "Longest time out of use, in ms; a longer baseEjectionMs stands instead.",
  successRate: "Ejects endpoints whose share of successes is far below the mean; {} for its defaults.",
  "successRate.stdevFactor": "How many standard deviations below the mean, in thousandths.",
  ...below("successRate", EJECTION),
  failurePercentage: "Ejects endpoints whose share of failures is above a limit; {} for its defaults.",
  "failurePercentage.threshold": "The limit, in percent; more than that ejects.",
  ...below("failurePercentage", EJECTION),
};

const HEALTH: Descriptions = {
  serviceName: 'The service whose health decides; "" for the server as a whole.',
  intervalMs: "Time from one Check of an endpoint to the next, in ms.",
  timeoutMs: "How long one Check may take, in ms; a later answer counts as not serving.",
  useWatch: "False asks in intervals instead of one Watch for each endpoint.",
};

/** The options that stand beside `policy`. */
const LOAD_BALANCING: Descriptions = {
  policy: "The policy's name.",
  shuffleAddressList: "True to try the endpoints in an order drawn by lot.",
  choiceCount: "Endpoints drawn for each call, of which the least busy one is taken; above 10 counts as 10.",
  source: "Where weights come from: what discovery says of the endpoints, or what the servers report.",
  blackoutMs: "How long an endpoint's reports come in before they are used, in ms.",
  weightExpirationMs: "How long a weight holds after the last report, in ms.",
  weightUpdateMs: "Time between two looks at the weights, in ms.",
  errorUtilizationPenalty: "What errors cost: share of failed calls times this is added to the utilization.",
  oobLoadReports: "True for a stream of reports per endpoint, false for a report with each answer.",
  oobReportingPeriodMs: "Time between two reports of a stream, in ms.",
  metricNames: "Metrics of which the largest is the utilization.",
  minRingSize: "Entries on the ring at least; 1,024 unless set.",
  maxRingSize: "Entries on the ring at most; 4,096 unless set. Endpoints beyond it get no calls.",
  ringSizeCap: "What this client makes of larger ring sizes, whoever asked for them.",
  entriesPerEndpoint: "Entries for each unit of an endpoint's weight, in place of the ring sizes.",
  requestHashHeader: "Request header whose value is the key of a call without hashKey.",
  boundedLoadFactor: "No endpoint gets more than this many times its share of the calls in flight.",
};

const CHANNEL: Descriptions = {
  enabled: "False leaves plain calls: no retry, no default deadline, no breaker.",
  ...CALLS,
  maxMetadataBytes: "Largest request metadata, names and values together, in bytes.",
  breaker: "Circuit breaker per endpoint; false for none.",
  ...below("breaker", BREAKER),
  maxEjectionPercent:
    "Share of the endpoints, in percent, that breakers and outlier ejection may take out; at least one.",
  outlierEjection: "Takes endpoints out of use that fail more than the others.",
  ...below("outlierEjection", OUTLIER_EJECTION),
  health: "Asks the endpoints for their health.",
  ...below("health", HEALTH),
  methods: "Options by package.Service/Method or package.Service; the more exact name wins.",
  "methods.*.idempotent": "True when running the method twice does no harm.",
  ...below("methods.*", CALLS),
  ...DISCOVERY,
  loadBalancing: "Which of the endpoints a call goes to: a policy by name, or { policy, ...options }.",
  ...below("loadBalancing", LOAD_BALANCING),
  subsetting: "Uses some of the endpoints only; null for all.",
  "subsetting.policy":
    "random_subsetting: each client draws its own; deterministic_subsetting: numbered clients share them out.",
  "subsetting.subsetSize": "Endpoints used; where there are no more than that, all.",
  "subsetting.clientIndex": "Number of this client: 0 or more, without gaps over all clients.",
  zone: "Our own zone, whose endpoints are preferred while most of them are usable; null for no preference.",
  slowStartMs: "Time over which an endpoint that has come up gets its full share of the calls, in ms.",
  connecting: "lazy: the first call connects; eager: the channel does as soon as it is made.",
  poolSize: "Connections to each endpoint, always; in place of minConnections and maxConnections.",
  minConnections: "Connections kept to each endpoint; 1 unless set.",
  maxConnections: "Most connections to one endpoint, opened while calls wait; minConnections unless set.",
  separateStreams: "True to give calls with a response stream connections of their own.",
  maxConnectionAgeMs: "Age at which a connection is replaced, in ms; null for never.",
  maxCallsPerConnection: "Calls after which a connection is replaced.",
  connectTimeoutMs: "Limit of one dial over name lookup, TCP, TLS and the server's SETTINGS, in ms.",
  reconnectBackoff: "The waits between dials that fail.",
  "reconnectBackoff.initialMs": "Wait between the starts of the first and the second dial, in ms.",
  "reconnectBackoff.multiplier": "Growth per failed dial.",
  "reconnectBackoff.maxMs": "Longest wait before chance, in ms.",
  "reconnectBackoff.jitterRatio": "Share by which each wait is spread both ways.",
  maxConnectedEndpoints: "Endpoints connected without being asked for; further ones as others fail.",
  maxStreamsPerConnection: "Calls in flight per connection; further ones go elsewhere or queue.",
  idleTimeoutMs: "Connections are closed after this long without a call, in ms; null for never.",
  drainMs: "How long calls may go on where a channel, an endpoint or a connection leaves, in ms.",
  suspicion: "When a silent connection is checked.",
  "suspicion.checkTimeoutMs": "How long the check of a suspect connection may take, in ms.",
  "suspicion.verifyAfterIdleMs":
    "A connection is verified before its next use after so long without a call, in ms; null for never.",
  "suspicion.writeStallMs": "A write not flushed for this long makes its connection suspect, in ms.",
  keepalive: "HTTP/2 pings; null sends none.",
  "keepalive.timeMs": "Interval of the pings, in ms.",
  "keepalive.timeoutMs": "How long an answer may take, in ms.",
  "keepalive.permitWithoutCalls": "Ping while no call runs, too.",
  "keepalive.allowAggressiveKeepalive":
    "Allows timeMs under 10,000, which servers in their default configuration punish.",
  flowControlWindowBytes: "HTTP/2 window per stream and connection, in bytes.",
  authority: "Overrides :authority, and the name that the certificate must carry.",
  channelOptions: "Further grpc-js channel options, but for those that Holdfast owns.",
};

/** What editors show, by place; `*` is any name. The comments of the options say more. */
export const KEY_DESCRIPTIONS: Descriptions = {
  $schema: "Where this schema is, for editors; not read.",
  channels: "Channels by name, for holdfast.channel(name) and holdfast.stub(name, Class).",
  clerks: "Clients of replicated key-value services by name, for holdfast.clerk(name).",
  raftPeers: "Raft clusters by name, for holdfast.raftPeers(name).",
  "channels.*.target":
    "Where the servers are: dns:///host:port, static:///a:1,b:2, consul://agent:8500/service, etcd://host:2379/prefix, file:///endpoints.yaml, ipv4:, ipv6:, unix:, passthrough:/// or host:port; or a list of them in order of preference.",
  "channels.*.preset":
    "Defaults under what is set here. The defaults that this schema names are those of grpc.",
  ...below("channels.*", CHANNEL),
  ...below("*.*.channel", CHANNEL),
  "clerks.*.servers": "The servers, as host:port; or give target.",
  "clerks.*.target":
    "A target as of a channel, whose endpoints are the servers, also when they change; or give servers.",
  "clerks.*.sessions": "Writes in flight at once, each in a session of its own.",
  "clerks.*.maxQueuedOperations": "Operations that may wait for a session; one more fails.",
  "clerks.*.timeoutMs": "Time for one operation, every attempt, wait and election included, in ms.",
  "clerks.*.attemptTimeoutMs": "Limit of one attempt, in ms.",
  "clerks.*.probe": "How the leader is looked for while it is unknown, or silent.",
  "clerks.*.probe.initialIntervalMs": "Wait between the first two rounds, in ms; doubles.",
  "clerks.*.probe.maxIntervalMs": "Longest wait between two rounds, in ms, for up to three servers.",
  "clerks.*.probe.timeoutMs": "How long a server may take to answer, in ms.",
  "clerks.*.probe.slowAfterMs":
    "An operation silent for this long has the leader looked for beside it, in ms.",
  "clerks.*.maxKeyBytes": "Largest key, in bytes of UTF-8.",
  "clerks.*.maxValueBytes": "Largest value of one put or append, in bytes of UTF-8.",
  "clerks.*.channel": "Further options of the channels to the servers; the preset eraft lies beneath.",
  "raftPeers.*.addresses": "All nodes of the cluster, as host:port, in the order of their numbers.",
  "raftPeers.*.me": "This node's place in addresses; may also be said in code.",
  "raftPeers.*.voteTimeoutMs": "Limit of one RequestVote, in ms.",
  "raftPeers.*.appendTimeoutMs": "Limit of one AppendEntries, or of each part of it, in ms.",
  "raftPeers.*.appendMinBytesPerSecond":
    "The slowest link that entries must get through: large ones have so much more time; null for none.",
  "raftPeers.*.snapshotTimeoutMs": "Limit of one InstallSnapshot, in ms.",
  "raftPeers.*.snapshotMinBytesPerSecond":
    "The slowest link that a snapshot must get through: a large one has so much more time; null for none.",
  "raftPeers.*.appendPartBytes":
    "A larger batch of entries goes out in parts of at most this size, in bytes.",
  "raftPeers.*.maxAppendBytes": "Largest AppendEntries message, in bytes; a larger one fails unsent.",
  "raftPeers.*.maxSnapshotBytes": "Largest InstallSnapshot message, in bytes; a larger one fails unsent.",
  "raftPeers.*.minFailureMs": "No failure is told earlier than this after its call began, in ms.",
  "raftPeers.*.channel": "Further options of the channels to the peers; the preset raft lies beneath.",
  "*.*.tls": "PEM files for TLS; {} trusts the authorities that Node trusts.",
  ...below("*.*.tls", TLS),
  "*.*.insecure": "True for plaintext, in place of tls.",
};
