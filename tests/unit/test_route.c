/* The route table. */
#include "http/route.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

static const int orgs, new_org, org, versions, version, any;

static const struct route routes[] = {
    {"GET", "/orgs", &orgs},
    {"POST", "/orgs", &new_org},
    {"DELETE", "/orgs/{org_id}", &org},
    {"GET", "/fleets/{fleet_id}/versions", &versions},
    {"GET", "/fleets/{fleet_id}/versions/{n}", &version},
    {"PUT", "/fleets/{fleet_id}/versions/{n}", &any},
};

static enum route_result find(const char *method, const char *path, struct route_match *match)
{
    return route_find(routes, ARRAY_COUNT(routes), method, path, match);
}

TEST(method_selects_among_the_routes_of_one_path)
{
    struct route_match match;
    ck_assert_int_eq(find("GET", "/orgs", &match), ROUTE_FOUND);
    ck_assert_ptr_eq(match.route->target, &orgs);
    ck_assert_int_eq(find("POST", "/orgs", &match), ROUTE_FOUND);
    ck_assert_ptr_eq(match.route->target, &new_org);
    ck_assert_str_eq(match.allow, "");
}

TEST(parts_in_braces_are_found_by_name)
{
    struct route_match match;
    ck_assert_int_eq(find("GET", "/fleets/abc-1/versions/17", &match), ROUTE_FOUND);
    ck_assert_ptr_eq(match.route->target, &version);
    ck_assert_uint_eq(match.value_count, 2);
    ck_assert_str_eq(route_value(&match, "fleet_id"), "abc-1");
    ck_assert_str_eq(route_value(&match, "n"), "17");
    ck_assert_ptr_null(route_value(&match, "fleet"));
    ck_assert_ptr_null(route_value(&match, "org_id"));
}

TEST(unknown_paths_are_not_found)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "/org",
                                        "/orgs/",
                                        "/orgss",
                                        "/orgs/a/b",
                                        "/fleets//versions",
                                        "/fleets/a/versions/",
                                        "/fleets/a/versions/1/2",
                                        "orgs",
                                        "//orgs"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct route_match match;
        ck_assert_msg(find("GET", paths[i], &match) == ROUTE_NO_PATH, "%s was found", paths[i]);
        ck_assert_ptr_null(match.route);
        ck_assert_ptr_null(route_value(&match, "org_id"));
    }
}

TEST(wrong_method_gets_the_list_of_allowed_ones)
{
    struct route_match match;
    ck_assert_int_eq(find("PATCH", "/orgs", &match), ROUTE_NO_METHOD);
    ck_assert_str_eq(match.allow, "GET, HEAD, POST");
    ck_assert_int_eq(find("GET", "/orgs/x", &match), ROUTE_NO_METHOD);
    ck_assert_str_eq(match.allow, "DELETE");
    ck_assert_int_eq(find("POST", "/fleets/x/versions/1", &match), ROUTE_NO_METHOD);
    ck_assert_str_eq(match.allow, "GET, HEAD, PUT");
    ck_assert_int_eq(find("get", "/orgs", &match), ROUTE_NO_METHOD);
}

TEST(head_is_served_wherever_get_is)
{
    struct route_match match;
    ck_assert_int_eq(find("HEAD", "/orgs", &match), ROUTE_FOUND);
    ck_assert_ptr_eq(match.route->target, &orgs);
    ck_assert_int_eq(find("HEAD", "/orgs/x", &match), ROUTE_NO_METHOD);
}

TEST(overlong_segment_matches_nothing_but_the_longest_allowed_does)
{
    char path[200] = "/orgs/";
    struct route_match match;
    memset(path + 6, 'a', ROUTE_VALUE_BYTES - 1);
    ck_assert_int_eq(find("DELETE", path, &match), ROUTE_FOUND);
    ck_assert_uint_eq(strlen(route_value(&match, "org_id")), ROUTE_VALUE_BYTES - 1);
    memset(path + 6, 'a', ROUTE_VALUE_BYTES);
    ck_assert_int_eq(find("DELETE", path, &match), ROUTE_NO_PATH);
}
