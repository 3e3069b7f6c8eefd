// The names of credentials, and how a fleet file refers to one.

const PART = /^[A-Z][A-Z0-9_]{0,62}$/;

/**
 * Whether the text can be the group or the item of a credential's name.
 *
 * @param {string} text
 */
export const isPart = (text) => PART.test(text);

/** @param {string} name */
export const referenceTo = (name) => `#{${name}}`;

/**
 * The path of a credential's page.
 *
 * @param {string} orgId
 * @param {string} name
 */
export const credentialPath = (orgId, name) => `/credentials/${orgId}/${name}`;
