// References to credentials: "#{GROUP.ITEM}" in a value of a fleet file. "##{" stands for "#{".
import { link } from './widgets.js';

/** @import { VesselDefinition } from './types.d.ts' */

const PART = /^[A-Z][A-Z0-9_]{0,62}$/;
const REFERENCE = /##\{|#\{([A-Z][A-Z0-9_]{0,62}\.[A-Z][A-Z0-9_]{0,62})\}/g;

/**
 * Whether the text can be the group or the item of a credential's name.
 *
 * @param {string} text
 */
export const isPart = (text) => PART.test(text);

/** @param {string} name */
export const referenceTo = (name) => `#{${name}}`;

/**
 * The names of the credentials to which vessels refer, each once, in order.
 *
 * @param {VesselDefinition[]} vessels
 */
export function credentialsOf(vessels) {
  const values = vessels.flatMap((vessel) => [
    ...(vessel.arguments ?? []),
    ...Object.values(vessel.environment ?? {}),
  ]);
  const names = values
    .flatMap((value) => [...value.matchAll(REFERENCE)])
    .flatMap(([, name]) => name ?? []);
  return [...new Set(names)].sort();
}

/**
 * The path of a credential's page.
 *
 * @param {string} orgId
 * @param {string} name
 */
export const credentialPath = (orgId, name) => `/credentials/${orgId}/${name}`;

/**
 * Links to the credentials to which vessels of an organization refer, after `title`. null if there
 * are none.
 *
 * @param {string} title
 * @param {string} orgId
 * @param {VesselDefinition[]} vessels
 */
export function credentialLinks(title, orgId, vessels) {
  const names = credentialsOf(vessels);
  if (names.length === 0) return null;
  return [
    title,
    names.map((name, i) => [i > 0 && ', ', link(credentialPath(orgId, name), referenceTo(name))]),
  ];
}
