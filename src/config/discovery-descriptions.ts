/** What editors show of keys, by place below the one that has them. */
export type Descriptions = Readonly<Record<string, string>>;

/** The same one place higher. */
export function below(place: string, descriptions: Descriptions): Descriptions {
  return Object.fromEntries(Object.entries(descriptions).map(([key, text]) => [`${place}.${key}`, text]));
}

/** Of TLS, wherever it stands. */
export const TLS: Descriptions = {
  caFile: "Certificates of the authorities to trust; relative paths begin at the folder of this file.",
  certFile: "This client's certificate chain, for mutual TLS. Needs keyFile.",
  keyFile: "The private key of certFile, without a passphrase.",
  minVersion: "Oldest version of TLS that is spoken.",
  serverName: "Name that the certificates of all servers must carry, in place of their own.",
  watchFiles: "True to use new content of the files for new connections.",
  reloadMs: "How often the files are read, in ms.",
};

/** Of `discovery`, wherever it stands. */
export const DISCOVERY: Descriptions = {
  discovery: "How often the sources of endpoints are asked, and what of their answers is believed.",
  "discovery.minIntervalMs": "Shortest time between two questions to a source that answers, in ms.",
  "discovery.lookupTimeoutMs": "How long one question may take, in ms.",
  "discovery.refreshMs":
    "How often a name is looked up while all is well, in ms; null for only after a failure.",
  "discovery.filePollMs": "How often the file of a file: target is looked at, in ms.",
  "discovery.emptyGraceMs":
    "How long a source must stick to an answer without endpoints before it is believed, in ms.",
  "discovery.maxShrinkRatio": "Share by which one answer may make the set smaller and be believed at once.",
  "discovery.shrinkGraceMs":
    "How long a source must stick to an answer that makes the set smaller than that, in ms.",
  "discovery.maxStaleMs":
    "How long the last endpoints are used while their source fails, in ms; null for ever.",
  "discovery.consul": "How consul: targets are asked.",
  "discovery.consul.token": "ACL token; better in tokenFile, or in the environment.",
  "discovery.consul.tokenFile": "File with the ACL token; relative paths begin at the folder of this file.",
  "discovery.consul.tokenEnv": "Environment variable with the ACL token.",
  "discovery.consul.tls": "TLS to Consul; {} trusts the authorities that Node trusts.",
  ...below("discovery.consul.tls", TLS),
  "discovery.consul.waitMs": "How long Consul holds a question while nothing changes, in ms.",
  "discovery.etcd": "How etcd: targets are asked.",
  "discovery.etcd.tls": "TLS to etcd; {} trusts the authorities that Node trusts.",
  ...below("discovery.etcd.tls", TLS),
  "discovery.etcd.username": "User of etcd's own authentication.",
  "discovery.etcd.password": "Password of the user; better in passwordFile.",
  "discovery.etcd.passwordFile": "File with the password; relative paths begin at the folder of this file.",
};
