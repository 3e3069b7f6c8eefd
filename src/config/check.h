/* The syntax of text values. Each function returns NULL if the value is valid, else what to say
 * after it: "is not an absolute path". Pure; any thread. */
#ifndef WEBHOOKD_CONFIG_CHECK_H
#define WEBHOOKD_CONFIG_CHECK_H

const char *config_check_folder(const char *value); /* of webhookd alone: not the root */
const char *config_check_store(const char *value);
const char *config_check_listen(const char *value);
const char *config_check_listen_or_empty(const char *value);
const char *config_check_socket_or_empty(const char *value);
const char *config_check_url(const char *value);
const char *config_check_url_or_empty(const char *value);
const char *config_check_index_or_empty(const char *value); /* the URL of an index of packages */
const char *config_check_host(const char *value); /* a name, without scheme, port and path */
const char *config_check_path(const char *value);
const char *config_check_path_or_empty(const char *value);
const char *config_check_search_path(const char *value); /* as in $PATH */
const char *config_check_program(const char *value);
const char *config_check_account(const char *value); /* a user or a group */
const char *config_check_account_or_empty(const char *value);
/* An address or a CIDR range (RFC 4632, RFC 4291). */
const char *config_check_network(const char *value);
const char *config_check_fleet(const char *value); /* "org/project/name" */

#endif
