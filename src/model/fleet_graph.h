/* Reads "connections" of a fleet file: the graph of its vessels. For fleet_file.c; pure. */
#ifndef WEBHOOKD_MODEL_FLEET_GRAPH_H
#define WEBHOOKD_MODEL_FLEET_GRAPH_H

#include "model/checker.h"
#include "model/definition.h"

/* Fills the definition's paths, sorted, from the fleet's "connections". The definition must have
 * its vessels already. Reports invalid paths, cycles, and vessels that no path connects to the
 * rest. */
void fleet_graph_read(struct checker *checker, const struct node *fleet,
                      struct definition *definition);

#endif
