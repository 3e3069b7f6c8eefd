// The rules of the console's scripts and of its test in a browser, for `make lint`.
import js from '@eslint/js';
import globals from 'globals';

/** Constructs that only one module may use, so that there is one way to do each thing. */
const once = (selector, message) => ({ selector, message });
const rules = {
  navigate: once(
    'MemberExpression[property.name="pushState"]',
    'navigate.js: use go() to open a page',
  ),
  widgets: once('MemberExpression[property.name="showModal"]', 'widgets.js: use dialog()'),
  markup: once(
    'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe)$/]',
    'dom.js: create elements from plain values instead of parsing markup',
  ),
  compare: once(
    'BinaryExpression > CallExpression[callee.object.name="JSON"]',
    'dom.js: use keyed() to find what changed',
  ),
};
const allBut = (...names) => [
  'error',
  ...Object.entries(rules)
    .filter(([name]) => !names.includes(name))
    .map(([, rule]) => rule),
];

export default [
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-len': [
        'error',
        {
          code: 100,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
        },
      ],
      'no-control-regex': 'off',
      'no-shadow': 'error',
      'no-unused-vars': ['error', { caughtErrors: 'none' }],
      'no-use-before-define': ['error', { functions: false, variables: false }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'one-var': ['error', 'never'],
      'prefer-const': 'error',
    },
  },
  {
    files: ['src/admin/console/*.js'],
    languageOptions: { globals: globals.browser },
    rules: { 'no-restricted-syntax': allBut() },
  },
  {
    files: ['src/admin/console/navigate.js'],
    rules: { 'no-restricted-syntax': allBut('navigate') },
  },
  {
    files: ['src/admin/console/widgets.js'],
    rules: { 'no-restricted-syntax': allBut('widgets') },
  },
  {
    files: ['tests/**/*.js', 'tests/**/*.mjs'],
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
  },
];
