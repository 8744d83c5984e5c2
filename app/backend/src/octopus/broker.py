"""RabbitMQ as the relay and the worker see it: one Celery application, its queues, their dead letters."""

from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection, Exchange, Queue

from octopus.connections import broker_url
from octopus.settings import ServerSettings

TASK = "octopus.log_message"
MESSAGES = "octopus.messages"  # the queue, and the routing key to it
DEAD = "octopus.messages.dead"
DELIVERY_LIMIT = 10  # deliveries to a worker that died with the task, until it counts as dead
CONFIRM_LIMIT = 4.0  # seconds for the broker to confirm; it never does while it has an alarm

# Topic, because Celery's delayed delivery on quorum queues, which retries need, is not for direct ones.
EXCHANGE = Exchange("octopus.tasks", type="topic", durable=True)
DEAD_EXCHANGE = Exchange("octopus.dead", type="topic", durable=True)

MESSAGES_QUEUE = Queue(
    MESSAGES,
    EXCHANGE,
    routing_key=MESSAGES,
    queue_arguments={
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_EXCHANGE.name,
        "x-dead-letter-routing-key": DEAD,
        # With the default, at-most-once, a dead letter can be lost on its way.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    },
)
DEAD_QUEUE = Queue(DEAD, DEAD_EXCHANGE, routing_key=DEAD, queue_arguments={"x-queue-type": "quorum"})

CONFIGURATION: dict[str, Any] = {
    "task_queues": (MESSAGES_QUEUE,),
    "task_default_queue": MESSAGES,
    "task_default_exchange": EXCHANGE.name,
    "task_default_exchange_type": "topic",
    "task_default_routing_key": MESSAGES,
    "task_default_queue_type": "quorum",
    "task_create_missing_queues": False,
    "worker_detect_quorum_queues": True,
    "broker_native_delayed_delivery_queue_type": "quorum",
    "control_queue_exclusive": True,
    "event_queue_exclusive": True,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure_or_timeout": False,
    "task_ignore_result": True,
    "task_store_eager_result": False,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "broker_transport_options": {"confirm_publish": True},
    "broker_connection_timeout": 3,
    "broker_heartbeat": 30,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,
    # A dead worker gives back what it had fetched, and each of those counts as a delivery.
    "worker_prefetch_multiplier": 4,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "timezone": "UTC",
}


class PersistentConnection(Connection):
    """Tries again after 0.5 s, then every second. Celery cannot be told, and waits up to 30 s."""

    def ensure_connection(self, *args: Any, **options: Any) -> Connection:
        """Connect, however often it takes."""
        pauses = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 1.0}
        return super().ensure_connection(*args, **{**pauses, **options})


class PersistentAMQP(AMQP):
    """What Celery makes its connections with."""

    Connection = PersistentConnection


def make_celery(settings: ServerSettings) -> Celery:
    """Return the Celery application; nothing is connected yet."""
    celery = Celery("octopus", broker=broker_url(settings), amqp=PersistentAMQP, set_as_current=True)
    celery.conf.update(CONFIGURATION)
    return celery


def declare(connection: Connection) -> None:
    """Make sure that both queues exist before anything can be sent to them."""
    with connection.channel() as channel:
        for queue in (DEAD_QUEUE, MESSAGES_QUEUE):
            queue(channel).declare()
