"""The outside world behind ports: audio nodes, voice, yt-dlp, the media relay."""
