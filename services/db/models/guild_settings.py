"""What admins have set for their guild."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from services.db.models.base import Base


class GuildSettingsRow(Base):
    """One guild's settings; NULL means: as the bot's own settings say."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    prefix: Mapped[str | None]
    timezone: Mapped[str | None]
