// The types of the console's scripts, for `make lint` and for editors: first the API's objects, as
// docs/openapi.yaml describes them, then what the scripts pass to each other. webhookd does not
// serve this file.

/* ---- the API's objects ---- */

export type Id = string;
/** RFC 3339. */
export type Time = string;
export type RunStatus = 'scheduled' | 'running' | 'success' | 'errored' | 'terminated';
export type VesselRunStatus = RunStatus | 'retrying' | 'incomplete';
export type Trigger = 'webhook' | 'on_demand' | 'api' | 'schedule';

export interface Session {
  key_name: string;
}

export interface Org {
  id: Id;
  name: string;
  created_at: Time;
}

export interface Project {
  id: Id;
  name: string;
  org_id: Id;
  org_name: string;
  created_at: Time;
}

/** Its value is never answered. */
export interface Credential {
  /** GROUP.ITEM */
  name: string;
  group: string;
  item: string;
  created_at: Time;
  changed_at: Time;
  changed_by: string;
  last_used_at: Time | null;
}

/** A fleet whose current version refers to a credential. */
export interface CredentialUser {
  id: Id;
  name: string;
  project_id: Id;
  project_name: string;
  vessels: string[];
}

export interface Fleet {
  id: Id;
  name: string;
  project_id: Id;
  project_name: string;
  org_id: Id;
  org_name: string;
  version: number;
  created_at: Time;
  updated_at: Time;
  has_webhook: boolean;
  waiting: number;
  running: number;
  /** Only if it was asked for. */
  last?: Outcome[];
}

export interface Outcome {
  id: Id;
  status: RunStatus;
  created_at: Time;
}

export interface VersionSummary {
  fleet_id: Id;
  version: number;
  created_at: Time;
}

export interface Version extends VersionSummary {
  /** null if the file is not text. */
  file: string | null;
  definition: Definition;
}

/** A fleet file as webhookd parsed it. */
export interface Definition {
  vessels: VesselDefinition[];
  connections: Record<string, Record<string, Path>>;
  /** 0 = any number */
  max_concurrent_runs: number;
}

export interface VesselDefinition {
  name: string;
  kind?: string;
  language?: string;
  file_to_run?: string;
  arguments?: string[];
  environment?: Record<string, string>;
  blueprint_id?: Id;
  /** Missing: the current one. */
  blueprint_version?: number;
}

/** An input of a blueprint: a variable of the vessels that use it. */
export interface Input {
  reference_name: string;
}

export type Path = 'SUCCESS' | 'ERRORED' | 'COMPLETED';

/** An error in a fleet file or a note about it. */
export interface Problem {
  message: string;
  path: string;
  line: number | null;
}

export interface WouldApply {
  outcome: 'created' | 'updated' | 'unchanged';
  fleet_id: Id | null;
  version: number;
}

/** The answer to a request that applies a file. */
export interface Applied {
  outcome: 'created' | 'updated' | 'unchanged';
  fleet: Fleet;
  version: number;
  would: null;
  notes: Problem[];
}

/** The answer to a request that only checks a file. */
export interface Checked {
  outcome: 'checked';
  fleet: null;
  version: null;
  would: WouldApply;
  notes: Problem[];
}

export interface Webhook {
  url: string;
  fleet_id: Id;
  fleet_name: string;
  project_id: Id;
  project_name: string;
  org_id: Id;
  org_name: string;
  created_at: Time;
  last_request: WebhookRequest | null;
  requests: { since: Time; accepted: number; refused: number };
}

export interface WebhookRequest {
  at: Time;
  /** null, like `answer_us`, if the connection was closed without an answer. */
  status: number | null;
  answer_us: number | null;
  remote_addr: string | null;
}

export interface FleetRun {
  id: Id;
  fleet_id: Id;
  fleet_name: string;
  fleet_version: number;
  project_id: Id;
  org_id: Id;
  trigger: Trigger;
  event: string | null;
  status: RunStatus;
  request_id: Id;
  remote_addr: string | null;
  host: string | null;
  query_string: string | null;
  /** Not in lists; nor are the next two. */
  again_of?: Id | null;
  again_as?: Id[];
  /** Also not in runs that an earlier version accepted. */
  withheld?: string[];
  body_bytes: number;
  body_sha256: string;
  created_at: Time;
  started_at: Time | null;
  ended_at: Time | null;
  vessels: VesselRun[];
}

export interface VesselRun {
  id: Id;
  vessel_id: Id;
  name: string;
  status: VesselRunStatus;
  attempts: number;
  /** Not in lists; nor is the next one. */
  max_attempts?: number;
  next_attempt_at?: Time | null;
  exit_code: number | null;
  reason: string | null;
  started_at: Time | null;
  ended_at: Time | null;
  output_bytes: number;
  blueprint_version: number | null;
}

export interface FleetRuns {
  fleetruns: FleetRun[];
  next_before: Id | null;
  next_after: Id | null;
}

/** An event of the stream /events. */
export interface RunChange {
  run_id: Id;
  fleet_id: Id;
  status: RunStatus;
  at: Time;
}

/** The values of each header, by its name. */
export type RunHeaders = Record<string, string[]>;

export interface Key {
  id: Id;
  name: string;
  role: 'owner' | 'trigger';
  state: 'active' | 'expired' | 'fleet_deleted' | 'org_deleted' | 'uncertain';
  org_id: Id | null;
  fleet_id: Id | null;
  org_name: string | null;
  project_name: string | null;
  fleet_name: string | null;
  created_at: Time;
  last_used_at: Time | null;
  expires_at: Time | null;
}

/** What POST /keys takes. */
export interface KeyOrder {
  name: string;
  role: string;
  org_id?: Id;
  fleet_id?: Id;
  expires_in_s?: number;
}

export interface NewKey extends Key {
  key: string;
}

export interface AuditEntry {
  number: number;
  at: Time;
  who: string;
  source: string | null;
  action: string;
  subject_id: Id | null;
  subject: string | null;
  /** The fleet that was changed, or whose webhook or run it was. */
  fleet_id: Id | null;
  /** The version of the fleet that the change created. */
  version: number | null;
  detail: string | null;
  request_id: Id;
}

/** The parts of the status that the console uses. */
export interface Status {
  ready: boolean;
  not_ready_because: string | null;
  key_problem: string | null;
  store_caveat: string | null;
  /** max_vessels as configured: 0 = 4 for each core */
  runner: { enabled: boolean; max_vessels: number; running_vessels: number };
  counts: { runs_scheduled: number };
  disk: {
    free_bytes: number;
    min_free_bytes: number;
    free_inodes: number | null;
    min_free_inodes: number;
  };
}

/* ---- the API's paths ---- */

export type RunsPath = '/fleetruns' | `/fleets/${Id}/fleetruns`;

/** Specific paths come first: the first overload that fits is chosen. */
export interface Get {
  (path: '/session'): Promise<Session>;
  (path: '/status'): Promise<Status>;
  (path: '/orgs'): Promise<{ orgs: Org[] }>;
  (path: `/orgs/${Id}/projects`): Promise<{ projects: Project[] }>;
  (path: `/orgs/${Id}/credentials`): Promise<{ credentials: Credential[] }>;
  (path: `/orgs/${Id}/credentials/${string}/used`): Promise<{ fleets: CredentialUser[] }>;
  (path: '/fleets'): Promise<{ fleets: Fleet[] }>;
  (path: `/fleets?${string}`): Promise<{ fleets: Fleet[] }>;
  (path: `/fleets/${Id}/versions`): Promise<{ versions: VersionSummary[] }>;
  (path: `/fleets/${Id}/versions/${string}`): Promise<Version>;
  (path: `/fleets/${Id}/webhook?${string}`): Promise<Webhook>;
  (path: `${RunsPath}?${string}`): Promise<FleetRuns>;
  (path: `/fleets/${Id}`): Promise<Fleet>;
  (path: `/fleetruns/${Id}/headers`): Promise<RunHeaders>;
  (path: `/fleetruns/${Id}`): Promise<FleetRun>;
  (path: `/blueprints/${Id}/versions/${number}`): Promise<{ definition: { inputs: Input[] } }>;
  (path: `/blueprints/${Id}`): Promise<{ inputs: Input[] }>;
  (path: '/keys'): Promise<{ keys: Key[] }>;
  (path: `/audit?${string}`): Promise<{ entries: AuditEntry[]; next_before: number | null }>;
}

export interface Post {
  (path: '/session', value: { key: string }): Promise<Session>;
  (path: '/keys', value: KeyOrder): Promise<NewKey>;
  (path: `/fleets/${Id}/webhook`): Promise<Webhook>;
  (path: `/fleets/${Id}/fleetruns`): Promise<FleetRun>;
  (path: `/fleetruns/${Id}/again`): Promise<FleetRun>;
  (path: `/fleetruns/${Id}/stop`): Promise<FleetRun>;
}

export interface Put {
  (path: `/projects/${Id}/fleets?check=1`, body: string, type: string): Promise<Checked>;
  (
    path: `/projects/${Id}/fleets?from_fleet=${Id}&from_version=${number}`,
    body: string,
    type: string,
  ): Promise<Applied>;
  (path: `/projects/${Id}/fleets`, body: string, type: string): Promise<Applied>;
  (path: `/fleets/${Id}/webhook?${string}`): Promise<Webhook>;
  (path: `/orgs/${Id}/credentials/${string}`, body: string, type: string): Promise<Credential>;
}

/* ---- what the scripts pass to each other ---- */

/** The possible contents of an element. null, undefined and false are left out. */
export type Child = Node | string | false | null | undefined | readonly Child[];

export interface Attributes {
  [name: string]:
    string | number | boolean | null | undefined | ((event: Event) => void | Promise<void>);
}

/** The object that app.js passes to a page. */
export interface Page {
  /** The variable parts of the path. The last one may be missing. */
  parts: string[];
  isOpen(): boolean;
  /** `end` runs when the reader leaves the page. */
  onLeave(end: () => void): void;
}

/** The filters of a list of runs. '' = any. */
export interface RunFilter {
  status: string;
  trigger: string;
  /** A span of time up to now, such as "1h". */
  since: string;
}

/** Something with a start and an end: a fleet run or a vessel run. */
export interface Timed {
  started_at: Time | null;
  ended_at: Time | null;
}

/** A column of a table. All its cells have the class `class`. */
export interface Column<Item> {
  title: string;
  class?: string;
  cell: (item: Item) => Child;
}

/** A button of a dialog. A click closes the dialog with the result of `act`. */
export interface Answer<Value> {
  label: string;
  class?: string;
  act: () => Value | Promise<Value>;
}

/** The value and the text of an option. */
export type Option = [string, string];

/** The parts of a bar and its mark that may change whenever they are redrawn. */
export interface Bar {
  href: string;
  title: string;
  status: VesselRunStatus;
  markX: number;
  markY: number;
  x: number;
  y: number;
  width: number;
  height: number;
  rx: number;
}
