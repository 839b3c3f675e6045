# What systems leave behind is neither evidence nor undeletable.
d=$(place)
for name in .DS_Store ._a.jpg Thumbs.db desktop.ini '~$a.docx' a.tmp; do
    as o1 sh -c 'echo x >"$0"' "$d/$name"
done
sleep 3
for name in .DS_Store ._a.jpg Thumbs.db desktop.ini '~$a.docx' a.tmp; do
    same "$name" "$(state_of "$d/$name")" staging
    as o1 rm "$d/$name"
done
same left "$(as o1 ls -A "$d")" ''
