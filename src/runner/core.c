/* What runs and vessels need from their runner: see core.h. It lies below runs, attempts and steps
 * and calls none of them. */
#include "runner/core.h"

#include <assert.h>

#include "runner/step.h"

void runner_ready_add(struct runner *runner, struct run_vessel *vessel)
{
    fair_queue_add_ready(&runner->fair_queue, vessel->run->fleet_queue, vessel);
    loop_wake(runner->loop);
}

void runner_ready_remove(struct run_vessel *vessel)
{
    fair_queue_remove_ready(vessel->run->fleet_queue, vessel);
}

void runner_take_slot(struct runner *runner)
{
    runner->slots_used++;
}

void runner_give_slot(struct runner *runner)
{
    assert(runner->slots_used > 0);
    runner->slots_used--;
    loop_wake(runner->loop);
}

void runner_post(struct runner *runner, struct run_step *step)
{
    pthread_mutex_lock(&runner->lock);
    list_append(&runner->mail, &step->mail);
    loop_wake(runner->loop); /* under the lock: the loop may end as soon as the step is taken */
    pthread_mutex_unlock(&runner->lock);
}
