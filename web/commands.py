"""``flask --app web …``: preparing the database, accounts, the worker, deadlines."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click
from flask import Flask, current_app
from sqlalchemy import select

from . import (
    agreements,
    answers,
    auth,
    db,
    evidence,
    jobs,
    logs,
    outbox,
    publication,
    repair,
    retention,
    rounds,
    serving,
)
from .models import ROLES, College, Enterprise, User
from .privacy import Keys

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerSchema(RuntimeError):
    """The database was made by a newer version of this software."""


WITHOUT_PAGES = (
    "init-db", "upgrade-db", "create-user", "close-due", "repair-backup", "retain", "worker",
)  # fmt: skip
"""Commands that serve nothing, so that nothing need stand in front of them."""


def asked(*names: str) -> bool:
    """Whether one of these commands is the one that runs."""
    return any(name in sys.argv for name in names)


def schema_of() -> tuple[str | None, str | None]:
    """The database's schema version, and the one that this software knows."""
    # alembic is loaded where the schema is looked at: serving need not wait for it
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_alembic())
    with db.engine().connect() as connection:
        held = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if held is not None and held not in known:
        raise NewerSchema(
            f"数据库的版本 {held} 比本软件新，请先升级软件。 The database's schema {held} is newer than this software."
        )
    return held, script.get_current_head()


def _alembic() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = db.engine()
    return config


def upgrade() -> None:
    """Bring the schema to this software's version."""
    from alembic import command

    schema_of()
    command.upgrade(_alembic(), "head")


@click.command("init-db")
def init_db() -> None:
    """建立数据库与密钥 / make the database and the keys."""
    path = Path(current_app.instance_path) / "keys.toml"
    if not path.exists():
        upgrade()
        with db.reading() as session:
            if session.scalar(select(User.id).limit(1)) is not None:
                raise click.ClickException(
                    f"数据库里已有账号，但没有 {path.name}；请从备份取回，不能新建。"
                    f" There are accounts but no {path.name}: restore it from the backup."
                )
        Keys.create(path)
        click.echo(f"已建立密钥 {path}，请另存备份 / keys made, keep a copy elsewhere")
    upgrade()
    click.echo("数据库就绪 / database ready")


@click.command("upgrade-db")
def upgrade_db() -> None:
    """升级数据库结构 / upgrade the schema."""
    try:
        upgrade()
    except NewerSchema as error:
        raise click.ClickException(str(error)) from None
    click.echo("数据库就绪 / database ready")


@click.command("create-user")
@click.argument("username")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--name", default="", help="显示的名字 / name shown")
@click.option("--college", help="院校代码 / code of the college")
@click.option("--enterprise", help="企业代码 / code of the enterprise")
@click.option("--district", help="区划代码 / area code")
@click.password_option(help="密码 / password")
def create_user(
    username: str,
    role: str,
    name: str,
    college: str | None,
    enterprise: str | None,
    district: str | None,
    password: str,
) -> None:
    """建立账号 / make an account."""
    if len(password) < 8:
        raise click.ClickException("密码至少 8 位 / at least 8 characters")
    with db.writing() as session:
        taken = session.scalar(select(User).where(User.username == auth.as_username(username)))
        if taken is not None:
            raise click.ClickException(f"已有账号 {username} / the account exists")
        scope: dict[str, object] = {"name": name, "district": district}
        for option, model, code in (
            ("college", College, college),
            ("enterprise", Enterprise, enterprise),
        ):
            if code is not None:
                held = session.scalar(select(model).where(model.code == code))
                if held is None:
                    raise click.ClickException(f"没有代码为 {code} 的单位 / no {option} {code}")
                scope[option] = held
        auth.create_user(session, auth.as_username(username), password, role, **scope)
    click.echo(f"已建立 {username} / account made")


@click.command("close-due")
def close_due() -> None:
    """登记到期的截止时间，删除到期的证明材料 / record deadlines that have passed, delete old evidence."""
    with db.writing() as session:
        for taken in rounds.close_due(session):
            click.echo(taken)
    for taken in answers.settle_due():
        click.echo(taken)
    while outbox.send_due():
        pass
    for taken in agreements.settle_due():
        click.echo(taken)
    for key in evidence.delete_due():
        click.echo(f"已删除到期的证明材料 {key} / evidence deleted")


@click.command("retain")
@click.option("--dry-run", is_flag=True, help="只列出，不清理 / list only")
def retain(dry_run: bool) -> None:
    """清理过了保存期限的资料 / remove what is past its retention period."""
    for one in retention.due(db.reading()) if dry_run else retention.apply():
        where = one.round.serial if one.round else "-"
        click.echo(f"{one.rule.code} {where} {one.rows} (< {one.before:%Y-%m-%d})")


@click.command("worker")
def worker() -> None:
    """匹配任务与到期登记，直到被停止 / take up runs and record deadlines, until stopped."""
    logs.start(logging.INFO)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for name in publication.recover():
        click.echo(f"已清除未完成的公示包 {name} / unfinished bundle removed")
    click.echo("任务进程已启动 / worker started")
    jobs.work(stop)


def init_app(app: Flask) -> None:
    """Register the commands."""
    from .demo import demo

    own = (init_db, upgrade_db, create_user, close_due, retain, worker)
    for one in (*own, repair.repair_backup, serving.serve_command, demo):
        app.cli.add_command(one)
