/* "connections" of a fleet file: the graph of its vessels. */
#ifndef WEBHOOKD_MODEL_FLEET_GRAPH_H
#define WEBHOOKD_MODEL_FLEET_GRAPH_H

#include "model/checker.h"
#include "model/definition.h"

/* Fills the definition's paths, sorted, from the fleet's "connections"; its vessels are there. Reports what is no path, cycles, and vessels that
 * no path connects to the rest. */
void fleet_graph_read(struct checker *checker, const struct node *fleet,
                      struct definition *definition);

#endif
